//! The layout of a GLUE file, and its checks.

use std::path::Path;

use super::{GlueDataset, GlueExample, GlueLabel, GlueTask, SkipReason, SkippedRow};
use crate::DatasetError;
use crate::header::Header;

/// So few broken rows are QQP's own even where they are more than 1 %: a cut of the file may be tiny.
const ALWAYS_SKIPPED: usize = 3;

/// Which column holds what.
struct Layout {
    /// How many columns a row has.
    columns: usize,
    text_a: usize,
    text_b: Option<usize>,
    label: Option<usize>,
    index: Option<usize>,
    /// How many lines come before the first row.
    header_lines: usize,
}

pub(super) fn parse(task: GlueTask, name: &Path, text: &str) -> Result<GlueDataset, DatasetError> {
    // `lines` ends a line at `\n` or `\r\n` alone, which is what the files mean.
    let mut lines: Vec<&str> = text.lines().collect();
    if lines.last().is_some_and(|last| last.is_empty()) {
        lines.pop();
    }
    let first = match lines.first() {
        Some(first) if !text.trim().is_empty() => first,
        _ => {
            return Err(DatasetError::Empty {
                path: name.to_owned(),
                expected: "tab-separated rows",
            });
        }
    };
    let layout = layout(task, name, first)?;
    let rows = &lines[layout.header_lines..];
    let skips_broken_rows = task == GlueTask::Qqp && layout.label.is_some();
    let mut examples = Vec::with_capacity(rows.len());
    let mut skipped = Vec::new();
    for (row, text) in rows.iter().enumerate() {
        let line = 1 + layout.header_lines + row;
        let fields = split(text);
        if fields.len() != layout.columns {
            let (found, expected) = (fields.len(), layout.columns);
            if !skips_broken_rows {
                return Err(DatasetError::ColumnCount {
                    path: name.to_owned(),
                    line,
                    found,
                    expected,
                });
            }
            let reason = SkipReason::ColumnCount { found, expected };
            skipped.push(SkippedRow { line, reason });
            continue;
        }
        let label = match layout.label.map(|column| fields[column]) {
            None => None,
            // Bowman et al. 2015, 3.2: the gold label of a pair without a majority.
            Some("-") if task == GlueTask::Mnli => {
                let reason = SkipReason::NoGoldLabel;
                skipped.push(SkippedRow { line, reason });
                continue;
            }
            Some(found) => Some(label(task, name, line, found)?),
        };
        examples.push(GlueExample {
            row,
            text_a: fields[layout.text_a].to_owned(),
            text_b: layout.text_b.map(|column| fields[column].to_owned()),
            label,
            index: layout.index.map(|column| fields[column].to_owned()),
        });
    }
    check_broken(name, rows.len(), &skipped)?;
    if examples.is_empty() {
        return Err(DatasetError::NoRows {
            path: name.to_owned(),
        });
    }
    Ok(GlueDataset {
        split: name
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        examples,
        labelled: layout.label.is_some(),
        skipped,
    })
}

/// A line's columns; a blank line has none.
fn split(line: &str) -> Vec<&str> {
    if line.is_empty() {
        Vec::new()
    } else {
        line.split('\t').collect()
    }
}

fn layout(task: GlueTask, name: &Path, first: &str) -> Result<Layout, DatasetError> {
    let names: Vec<String> = split(first).into_iter().map(str::to_owned).collect();
    let header = Header {
        path: name,
        line: 1,
        names,
        kind: task.folder(),
    };
    let (texts, label, index) = match task {
        GlueTask::Cola => return cola_layout(&header),
        GlueTask::Sst2 => {
            let [text_a] = header.needed(["sentence"])?;
            ((text_a, None), "label", "index")
        }
        GlueTask::Mrpc => (pair(&header, "#1 String", "#2 String")?, "Quality", "index"),
        GlueTask::StsB => (pair(&header, "sentence1", "sentence2")?, "score", "index"),
        GlueTask::Qqp => (
            pair(&header, "question1", "question2")?,
            "is_duplicate",
            "id",
        ),
        GlueTask::Mnli => (
            pair(&header, "sentence1", "sentence2")?,
            "gold_label",
            "index",
        ),
        GlueTask::Qnli => (pair(&header, "question", "sentence")?, "label", "index"),
        GlueTask::Rte | GlueTask::Wnli => {
            (pair(&header, "sentence1", "sentence2")?, "label", "index")
        }
    };
    Ok(Layout {
        columns: header.names.len(),
        text_a: texts.0,
        text_b: texts.1,
        label: header.find(&[label])?,
        index: header.find(&[index])?,
        header_lines: 1,
    })
}

fn pair(
    header: &Header<'_>,
    text_a: &'static str,
    text_b: &'static str,
) -> Result<(usize, Option<usize>), DatasetError> {
    let [text_a, text_b] = header.needed([text_a, text_b])?;
    Ok((text_a, Some(text_b)))
}

/// CoLA's labelled files have no header, its test file has one.
fn cola_layout(first: &Header<'_>) -> Result<Layout, DatasetError> {
    let columns = first.names.len();
    if first.names == ["index", "sentence"] {
        return Ok(Layout {
            columns,
            text_a: 1,
            text_b: None,
            label: None,
            index: Some(0),
            header_lines: 1,
        });
    }
    if columns != 4 {
        return Err(DatasetError::ColaFirstLine {
            path: first.path.to_owned(),
            found: columns,
        });
    }
    Ok(Layout {
        columns,
        text_a: 3,
        text_b: None,
        label: Some(1),
        index: None,
        header_lines: 0,
    })
}

fn label(task: GlueTask, name: &Path, line: usize, found: &str) -> Result<GlueLabel, DatasetError> {
    if task.is_regression() {
        return match found.parse::<f64>() {
            // No range holds NaN.
            Ok(score) if (0.0..=5.0).contains(&score) => Ok(GlueLabel::Score(score)),
            _ => Err(DatasetError::Score {
                path: name.to_owned(),
                line,
                found: found.to_owned(),
            }),
        };
    }
    match task.labels().iter().position(|&label| label == found) {
        Some(class) => Ok(GlueLabel::Class(class)),
        None => Err(DatasetError::UnknownLabel {
            path: name.to_owned(),
            line,
            found: found.to_owned(),
            expected: task.labels(),
        }),
    }
}

/// Checks that the broken rows are as few as QQP's.
fn check_broken(name: &Path, rows: usize, skipped: &[SkippedRow]) -> Result<(), DatasetError> {
    let mut broken = skipped.iter().filter_map(|it| match it.reason {
        SkipReason::ColumnCount { found, expected } => Some((it.line, found, expected)),
        SkipReason::NoGoldLabel => None,
    });
    let Some((line, found, expected)) = broken.next() else {
        return Ok(());
    };
    let broken = 1 + broken.count();
    if broken > ALWAYS_SKIPPED && broken * 100 > rows {
        return Err(DatasetError::BrokenRows {
            path: name.to_owned(),
            line,
            broken,
            rows,
            found,
            expected,
        });
    }
    Ok(())
}
