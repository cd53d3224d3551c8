//! What the GLUE files promise: the official columns, balanced labels, held-out pairs that training has not.

#![allow(clippy::unwrap_used, reason = "a test ends by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use bert_demo_data::demo_files;

static FILES: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let files = demo_files().unwrap().into_iter();
    files
        .map(|file| (file.path, String::from_utf8(file.bytes).unwrap()))
        .collect()
});

const MNLI_TEXT: &str = "index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\tsentence2_parse\tsentence1\tsentence2";
const STSB_TEXT: &str =
    "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2";

/// Where a file's texts and labels are.
struct Layout {
    folder: &'static str,
    train: &'static str,
    dev: &'static str,
    test: &'static str,
    /// Columns of the texts in labelled files and in the test file.
    texts: (&'static [usize], &'static [usize]),
    /// Column of the label.
    label: usize,
    /// Lowest and highest share of a label, in percent; none where labels are scores.
    balance: Option<(usize, usize)>,
}

fn layouts() -> [Layout; 9] {
    let layout = |folder, header, test, texts, label, balance| Layout {
        folder,
        train: header,
        dev: header,
        test,
        texts,
        label,
        balance,
    };
    let half = Some((45, 55));
    [
        layout("CoLA", "", "index\tsentence", (&[3], &[1]), 1, half),
        layout(
            "SST-2",
            "sentence\tlabel",
            "index\tsentence",
            (&[0], &[1]),
            1,
            half,
        ),
        layout(
            "MRPC",
            "\u{feff}Quality\t#1 ID\t#2 ID\t#1 String\t#2 String",
            "\u{feff}index\t#1 ID\t#2 ID\t#1 String\t#2 String",
            (&[3, 4], &[3, 4]),
            0,
            half,
        ),
        Layout {
            folder: "STS-B",
            train: Box::leak(format!("{STSB_TEXT}\tscore").into_boxed_str()),
            dev: Box::leak(format!("{STSB_TEXT}\tscore").into_boxed_str()),
            test: STSB_TEXT,
            texts: (&[7, 8], &[7, 8]),
            label: 9,
            balance: None,
        },
        layout(
            "QQP",
            "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate",
            "id\tquestion1\tquestion2",
            (&[3, 4], &[1, 2]),
            5,
            half,
        ),
        Layout {
            folder: "MNLI",
            train: Box::leak(format!("{MNLI_TEXT}\tlabel1\tgold_label").into_boxed_str()),
            dev: Box::leak(
                format!("{MNLI_TEXT}\tlabel1\tlabel2\tlabel3\tlabel4\tlabel5\tgold_label")
                    .into_boxed_str(),
            ),
            test: MNLI_TEXT,
            texts: (&[8, 9], &[8, 9]),
            label: usize::MAX,
            balance: Some((30, 36)),
        },
        layout(
            "QNLI",
            "index\tquestion\tsentence\tlabel",
            "index\tquestion\tsentence",
            (&[1, 2], &[1, 2]),
            3,
            half,
        ),
        layout(
            "RTE",
            "index\tsentence1\tsentence2\tlabel",
            "index\tsentence1\tsentence2",
            (&[1, 2], &[1, 2]),
            3,
            half,
        ),
        layout(
            "WNLI",
            "index\tsentence1\tsentence2\tlabel",
            "index\tsentence1\tsentence2",
            (&[1, 2], &[1, 2]),
            3,
            half,
        ),
    ]
}

/// Each file of a task with its expected header.
fn files(layout: &Layout) -> Vec<(&'static str, &'static str)> {
    let prefix = format!("glue/{}/", layout.folder);
    let files = FILES.keys().filter(|path| path.starts_with(&prefix));
    files
        .map(|path| {
            let name = &path[prefix.len()..];
            let header = match name.split(['.', '_']).next().unwrap() {
                "train" => layout.train,
                "dev" => layout.dev,
                "test" => layout.test,
                _ => panic!("{path} is no file of GLUE"),
            };
            (path.as_str(), header)
        })
        .collect()
}

/// The complete rows of a file and the number of its broken ones.
fn rows(path: &str, header: &str) -> (Vec<Vec<&'static str>>, usize) {
    let mut lines = FILES[path].lines();
    let columns = if header.is_empty() {
        4
    } else {
        assert_eq!(lines.next().unwrap(), header, "{path}");
        header.split('\t').count()
    };
    let (whole, broken): (Vec<_>, Vec<_>) = lines
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .partition(|row| row.len() == columns);
    (whole, broken.len())
}

#[test]
fn files_have_the_official_columns_and_enough_rows() {
    for layout in layouts() {
        let files = files(&layout);
        assert_eq!(files.len(), if layout.folder == "MNLI" { 5 } else { 3 });
        for (path, header) in files {
            let (whole, broken) = rows(path, header);
            let expected_broken = if path == "glue/QQP/train.tsv" { 2 } else { 0 };
            assert_eq!(broken, expected_broken, "{path}");
            let expected = match path {
                "glue/WNLI/train.tsv" => 300..=300,
                "glue/WNLI/dev.tsv" => 70..=70,
                "glue/WNLI/test.tsv" => 30..=30,
                _ if path.contains("train") => 590..=800,
                _ if path.contains("dev") => 120..=200,
                _ => 40..=40,
            };
            assert!(expected.contains(&whole.len()), "{path}: {}", whole.len());
        }
    }
}

#[test]
fn labels_are_balanced() {
    for layout in layouts() {
        for (path, header) in files(&layout) {
            if path.contains("test") {
                continue;
            }
            let (rows, _) = rows(path, header);
            let column = layout.label.min(rows[0].len() - 1);
            let Some((low, high)) = layout.balance else {
                let scores: Vec<f64> = rows
                    .iter()
                    .map(|row| row[column].parse().unwrap())
                    .collect();
                assert!(scores.iter().all(|score| (0.0..=5.0).contains(score)));
                assert!(rows.iter().all(|row| row[column].len() == "5.000".len()));
                continue;
            };
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            for row in &rows {
                *counts.entry(row[column]).or_default() += 1;
            }
            for (label, count) in counts {
                let percent = 100 * count / rows.len();
                assert!(
                    (low..=high).contains(&percent),
                    "{path}: {percent} % {label}"
                );
            }
        }
    }
}

#[test]
fn no_text_occurs_twice_in_a_task() {
    for layout in layouts() {
        let mut seen = BTreeSet::new();
        for (path, header) in files(&layout) {
            let columns = if path.contains("test") {
                layout.texts.1
            } else {
                layout.texts.0
            };
            for row in rows(path, header).0 {
                let texts: Vec<&str> = columns.iter().map(|column| row[*column]).collect();
                for text in &texts {
                    assert!(
                        !text.is_empty() && !text.contains(['{', '[', '|']) && !text.contains("  "),
                        "{path}: {text:?}"
                    );
                }
                assert!(seen.insert(texts.clone()), "{path}: {texts:?} again");
            }
        }
    }
}

#[test]
fn ids_are_unique() {
    for (folder, columns) in [("MRPC", vec![1, 2]), ("QQP", vec![0]), ("MNLI", vec![2])] {
        let mut ids = BTreeSet::new();
        for layout in layouts().iter().filter(|layout| layout.folder == folder) {
            for (path, _) in files(layout) {
                if path == "glue/QQP/test.tsv" {
                    continue;
                }
                for line in FILES[path].lines().skip(1) {
                    let row: Vec<&str> = line.split('\t').collect();
                    for column in &columns {
                        assert!(ids.insert(row[*column]), "{path}: {} again", row[*column]);
                    }
                }
            }
        }
    }
}

#[test]
fn mrpc_has_lone_quotation_marks() {
    for path in ["glue/MRPC/train.tsv", "glue/MRPC/dev.tsv"] {
        let lone = FILES[path]
            .lines()
            .filter(|line| line.matches('"').count() % 2 == 1)
            .count();
        assert!(lone > 10, "{path}: {lone}");
    }
}

#[test]
fn mnli_gold_labels_are_the_majority() {
    for path in ["glue/MNLI/dev_matched.tsv", "glue/MNLI/dev_mismatched.tsv"] {
        for line in FILES[path].lines().skip(1) {
            let row: Vec<&str> = line.split('\t').collect();
            let votes = row[10..15].iter().filter(|vote| **vote == row[15]).count();
            assert!(votes >= 3, "{path}: {line}");
        }
    }
}
