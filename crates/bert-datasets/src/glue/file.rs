//! The layout of a GLUE file, and its checks.

use std::path::Path;

use super::{GlueColumns, GlueDataset, GlueExample, GlueLabel, GlueTask, SkipReason, SkippedRow};
use crate::DatasetError;
use crate::header::Header;

/// Up to this many broken rows are accepted even where they are more than 1 %, since a file may be a small extract of
/// the official one.
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

pub(super) fn parse(task: &GlueTask, name: &Path, text: &str) -> Result<GlueDataset, DatasetError> {
    // `lines` ends a line at `\n` or `\r\n` alone, which is what the files mean.
    let mut lines: Vec<&str> = text.lines().collect();
    while lines.last().is_some_and(|last| last.is_empty()) {
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
    let skips_broken_rows = task.has_broken_rows && layout.label.is_some();
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
            Some(found) => match task.no_gold_label.filter(|it| *it == found) {
                Some(found) => {
                    let reason = SkipReason::NoGoldLabel { found };
                    skipped.push(SkippedRow { line, reason });
                    continue;
                }
                None => Some(label(task, name, line, found)?),
            },
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

fn layout(task: &GlueTask, name: &Path, first: &str) -> Result<Layout, DatasetError> {
    let columns = &task.columns;
    let mut header = Header {
        path: name,
        line: 1,
        names: split(first).into_iter().map(str::to_owned).collect(),
        kind: task.folder,
    };
    let without_header = columns.without_header;
    let mut header_lines = 1;
    if !without_header.is_empty() && !is_header(columns, &header.names) {
        if header.names.len() != without_header.len() {
            return Err(DatasetError::FirstLine {
                path: name.to_owned(),
                found: header.names.len(),
                kind: task.folder,
                expected: without_header,
                header: texts_and_index(columns).collect(),
            });
        }
        header.names = without_header.iter().map(|&it| it.to_owned()).collect();
        header_lines = 0;
    }
    let (text_a, text_b) = match columns.text_b {
        None => {
            let [text_a] = header.needed([columns.text_a])?;
            (text_a, None)
        }
        Some(text_b) => {
            let [text_a, text_b] = header.needed([columns.text_a, text_b])?;
            (text_a, Some(text_b))
        }
    };
    Ok(Layout {
        columns: header.names.len(),
        text_a,
        text_b,
        label: header.find(&[columns.label])?,
        index: header.find(&[columns.index])?,
        header_lines,
    })
}

/// Whether the first line of a task whose files may lack a header is one.
fn is_header(columns: &GlueColumns, first: &[String]) -> bool {
    first
        .iter()
        .map(String::as_str)
        .eq(texts_and_index(columns))
}

/// The columns of an unlabelled file.
fn texts_and_index(columns: &GlueColumns) -> impl Iterator<Item = &'static str> {
    [columns.index, columns.text_a]
        .into_iter()
        .chain(columns.text_b)
}

fn label(
    task: &GlueTask,
    name: &Path,
    line: usize,
    found: &str,
) -> Result<GlueLabel, DatasetError> {
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
    match task.labels.iter().position(|&label| label == found) {
        Some(class) => Ok(GlueLabel::Class(class)),
        None => Err(DatasetError::UnknownLabel {
            path: name.to_owned(),
            line,
            found: found.to_owned(),
            expected: task.labels,
        }),
    }
}

/// Checks that the broken rows are as few as the official ones.
fn check_broken(name: &Path, rows: usize, skipped: &[SkippedRow]) -> Result<(), DatasetError> {
    let mut broken = skipped.iter().filter_map(|it| match it.reason {
        SkipReason::ColumnCount { found, expected } => Some((it.line, found, expected)),
        SkipReason::NoGoldLabel { .. } => None,
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
