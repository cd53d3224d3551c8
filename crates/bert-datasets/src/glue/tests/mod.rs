mod wrong_files;

use std::collections::{BTreeMap, BTreeSet};

use bert_test_support::shared_file;
use proptest::prelude::*;

use super::*;

const QQP: &str = "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate";
const MNLI: &str = "index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\t\
                    sentence2_parse\tsentence1\tsentence2";
const STS_B: &str =
    "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2";

fn parsed(task: &GlueTask, name: &str, text: &str) -> GlueDataset {
    parse(task, Path::new(name), text.as_bytes()).unwrap_or_else(|error| panic!("{task}: {error}"))
}

/// What is wrong with a task's bad file named `x.tsv`.
fn message(task: &GlueTask, text: impl AsRef<[u8]>) -> String {
    parse(task, Path::new("x.tsv"), text.as_ref())
        .unwrap_err()
        .to_string()
}

fn task(name: &str) -> &'static GlueTask {
    name.parse().unwrap()
}

/// The official layouts of a task: a labelled file of one row with this label, and a test file of one row. Files that
/// have an index column have it in both.
fn files(task: &GlueTask, label: &str) -> (String, String) {
    let (labelled, test) = match task.name {
        "cola" => (
            format!("gj04\t{label}\t*\ta b "),
            "index\tsentence\n9\ta b ".to_owned(),
        ),
        "sst-2" => (
            format!("sentence\tlabel\na b \t{label}"),
            "index\tsentence\n9\ta b ".to_owned(),
        ),
        "mrpc" => (
            format!("Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n{label}\t7\t8\ta b \t\"c"),
            "index\t#1 ID\t#2 ID\t#1 String\t#2 String\n9\t7\t8\ta b \t\"c".to_owned(),
        ),
        "sts-b" => {
            let row = "9\tg\tf\t2012\t1\ts\ts\ta b \t\"c";
            (
                format!("{STS_B}\tscore\n{row}\t{label}"),
                format!("{STS_B}\n{row}"),
            )
        }
        "qqp" => (
            format!("{QQP}\n9\t1\t2\ta b \t\"c\t{label}"),
            "id\tquestion1\tquestion2\n9\ta b \t\"c".to_owned(),
        ),
        "mnli" => {
            let row = "9\tp\tp\tg\t( a\t)\t(\t)\ta b \t\"c";
            (
                format!("{MNLI}\tlabel1\tgold_label\n{row}\tneutral\t{label}"),
                format!("{MNLI}\n{row}"),
            )
        }
        "qnli" => (
            format!("index\tquestion\tsentence\tlabel\n9\ta b \t\"c\t{label}"),
            "index\tquestion\tsentence\n9\ta b \t\"c".to_owned(),
        ),
        "rte" | "wnli" => (
            format!("index\tsentence1\tsentence2\tlabel\n9\ta b \t\"c\t{label}"),
            "index\tsentence1\tsentence2\n9\ta b \t\"c".to_owned(),
        ),
        other => panic!("{other}: its files' layout is missing here"),
    };
    (labelled + "\n", test + "\n")
}

fn with_label(task: &GlueTask, label: &str) -> String {
    files(task, label).0
}

/// A labelled file of a task, and its one example.
fn labelled(task: &GlueTask) -> (String, GlueExample) {
    let (written, label) = if task.is_regression() {
        ("3.800", GlueLabel::Score(3.8))
    } else {
        (task.labels[1], GlueLabel::Class(1))
    };
    let text = with_label(task, written);
    let header = text.lines().next().unwrap_or_default();
    let has_index = header.split('\t').any(|it| it == task.columns.index);
    let example = GlueExample {
        row: 0,
        text_a: "a b ".to_owned(),
        text_b: task.is_pair().then(|| "\"c".to_owned()),
        label: Some(label),
        index: has_index.then(|| "9".to_owned()),
    };
    (text, example)
}

#[test]
fn labelled_files() {
    for task in TASKS {
        let (text, example) = labelled(task);
        let expected = GlueDataset {
            split: "train".to_owned(),
            examples: vec![example],
            labelled: true,
            skipped: Vec::new(),
        };
        for text in [
            text.clone(),
            format!("\u{feff}{text}"),
            text.replace('\n', "\r\n"),
            text.trim_end_matches('\n').to_owned(),
            format!("{text}\n"),
            format!("{text}\n\n\n"),
            format!("{}\r\n", text.replace('\n', "\r\n")),
            format!("{}\r\n\r\n", text.replace('\n', "\r\n")),
        ] {
            assert_eq!(parsed(task, "d/train.tsv", &text), expected, "{text:?}");
        }
    }
}

#[test]
fn test_files() {
    for task in TASKS {
        let expected = GlueDataset {
            split: "test".to_owned(),
            examples: vec![GlueExample {
                row: 0,
                text_a: "a b ".to_owned(),
                text_b: task.is_pair().then(|| "\"c".to_owned()),
                label: None,
                index: Some("9".to_owned()),
            }],
            labelled: false,
            skipped: Vec::new(),
        };
        let (_, text) = files(task, "");
        assert_eq!(parsed(task, "test.tsv", &text), expected, "{task}");
        let blank_lines = format!("{text}\n\r\n");
        assert_eq!(parsed(task, "test.tsv", &blank_lines), expected, "{task}");
    }
}

#[test]
fn texts_are_kept_as_written() {
    let header = "label\textra\tsentence2\tsentence1\tindex";
    let text =
        format!("{header}\n0\t\t\"\u{2028}x\t\ra\u{85}\"\"\r\t0\n1\t\t \t\t1\r\n0\tx\t\"\t'\t\r");
    let texts: Vec<_> = parsed(task("wnli"), "dev.tsv", &text)
        .examples
        .into_iter()
        .map(|it| (it.row, it.text_a, it.text_b.unwrap(), it.index.unwrap()))
        .collect();
    let expected = [
        (0, "\ra\u{85}\"\"\r", "\"\u{2028}x", "0"),
        (1, "", " ", "1"),
        // A carriage return at the file's end ends no line.
        (2, "'", "\"", "\r"),
    ];
    let expected =
        expected.map(|(row, a, b, index)| (row, a.to_owned(), b.to_owned(), index.to_owned()));
    assert_eq!(texts, expected);
}

#[test]
fn scores() {
    let cases = [
        ("0", 0.0),
        ("0.000", 0.0),
        ("5.000", 5.0),
        ("4.75", 4.75),
        ("1e-1", 0.1),
    ];
    for (written, expected) in cases {
        let text = with_label(task("sts-b"), written);
        let dataset = parsed(task("sts-b"), "dev.tsv", &text);
        assert_eq!(dataset.examples[0].label, Some(GlueLabel::Score(expected)));
    }
}

#[test]
fn broken_rows_of_qqp_are_skipped() {
    let good = "9\t1\t2\ta\tb\t0\n";
    let text = format!("{QQP}\n9\t1\t2\ta\nb\t\n\n{good}");
    let dataset = parsed(task("qqp"), "train.tsv", &text);
    let skipped = |line, found| SkippedRow {
        line,
        reason: SkipReason::ColumnCount { found, expected: 6 },
    };
    assert_eq!(
        dataset.skipped,
        [skipped(2, 4), skipped(3, 2), skipped(4, 0)]
    );
    assert_eq!(
        dataset.skipped[0].reason.to_string(),
        "found 4 columns, expected 6"
    );
    assert_eq!(dataset.examples.len(), 1);
    assert_eq!(dataset.examples[0].row, 3);

    let broken = "x\n".repeat(4);
    let at_most = format!("{QQP}\n{}{broken}", good.repeat(396));
    assert_eq!(parsed(task("qqp"), "dev.tsv", &at_most).skipped.len(), 4);
    let cases = [
        (
            format!("{QQP}\n{}{broken}", good.repeat(395)),
            ":397: 4 of 399 rows have a wrong number of columns, expected at most 1 % (the first has 1, the header 6)",
        ),
        (
            format!("{QQP}\nx\n"),
            ": found no usable row, expected at least one row",
        ),
        (
            "id\tquestion1\tquestion2\n0\ta\tb\n1\ta\n".to_owned(),
            ":3: found 2 columns, expected 3",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(message(task("qqp"), &text), format!("x.tsv{expected}"));
    }
}

#[test]
fn rows_of_mnli_without_a_gold_label_are_skipped() {
    let (text, mut example) = labelled(task("mnli"));
    let (_, row) = text.split_once('\n').unwrap();
    let text = text.replace("\tentailment\n", "\t-\n") + row;
    let dataset = parsed(task("mnli"), "dev_matched.tsv", &text);
    example.row = 1;
    assert_eq!(dataset.examples, [example]);
    assert_eq!(dataset.split, "dev_matched");
    let reason = SkipReason::NoGoldLabel { found: "-" };
    assert_eq!(dataset.skipped, [SkippedRow { line: 2, reason }]);
    assert_eq!(reason.to_string(), "no gold label (\"-\")");
}

#[test]
fn a_task_is_found_by_its_names() {
    let mut seen = BTreeSet::new();
    for task in TASKS {
        for name in [task.name, task.folder, &task.name.to_uppercase()] {
            assert_eq!(name.parse(), Ok(task));
        }
        assert_eq!(task.to_string(), task.name);
        for name in std::iter::once(&task.name).chain(task.aliases) {
            assert_eq!(name.parse(), Ok(task));
            assert!(seen.insert(name), "{name} is two tasks'");
        }
    }
    for (alias, name) in [("SST2", "sst-2"), ("stsb", "sts-b")] {
        assert_eq!(alias.parse(), Ok(task(name)));
    }
    let names: Vec<&str> = TASKS.iter().map(|task| task.name).collect();
    for name in ["", "cola ", "s-s-t-2", "mnli-mm"] {
        assert_eq!(
            name.parse::<&GlueTask>().unwrap_err().to_string(),
            format!("found {name:?}, expected one of {}", names.join(", "))
        );
    }
}

#[test]
fn the_columns_of_a_row_of_the_table_fit_each_other() {
    let mut submissions = BTreeSet::new();
    for task in TASKS {
        assert_eq!(task.labels.is_empty(), task.is_regression(), "{task}");
        assert_eq!(task.labels.len(), task.label_names.len(), "{task}");
        for labels in [task.labels, task.label_names] {
            let distinct: BTreeSet<_> = labels.iter().collect();
            assert_eq!(distinct.len(), labels.len(), "{task}");
        }
        let suffixes: BTreeSet<_> = task.dev_files.iter().map(|it| it.suffix).collect();
        assert_eq!(suffixes.len(), task.dev_files.len(), "{task}");
        let first = &task.dev_files[0];
        assert_eq!((first.suffix, first.score_name), ("", None), "{task}");
        for test in task.test_files {
            assert!(submissions.insert(test.submission), "{task}");
        }
        let columns = &task.columns;
        if !columns.without_header.is_empty() {
            for column in [Some(columns.text_a), columns.text_b, Some(columns.label)] {
                assert!(column.is_none_or(|it| columns.without_header.contains(&it)));
            }
        }
    }
}

#[test]
fn the_real_files() {
    let cases: [(&GlueTask, &str, &[usize]); 13] = [
        (task("cola"), "train.tsv", &[2528, 6023]),
        (task("cola"), "dev.tsv", &[322, 721]),
        (task("sst-2"), "train.tsv", &[29780, 37569]),
        (task("sst-2"), "dev.tsv", &[428, 444]),
        (task("mrpc"), "train.tsv", &[1194, 2473]),
        (task("mrpc"), "dev.tsv", &[129, 279]),
        (task("sts-b"), "train.tsv", &[5749]),
        (task("sts-b"), "dev.tsv", &[1500]),
        (task("qnli"), "dev.tsv", &[2702, 2761]),
        (task("rte"), "train.tsv", &[1249, 1241]),
        (task("rte"), "dev.tsv", &[146, 131]),
        (task("wnli"), "train.tsv", &[323, 312]),
        (task("wnli"), "dev.tsv", &[40, 31]),
    ];
    for (task, file, expected) in cases {
        let Some(path) = shared_file(&format!("data/glue/{}/{file}", task.folder)) else {
            continue;
        };
        let dataset = read(task, &path).unwrap();
        assert!(dataset.labelled && dataset.skipped.is_empty());
        let mut counts = BTreeMap::new();
        let mut sum = 0.0;
        for (row, example) in dataset.examples.iter().enumerate() {
            assert_eq!(example.row, row);
            assert_eq!(example.text_b.is_some(), task.is_pair());
            let class = match example.label.unwrap() {
                GlueLabel::Class(class) => class,
                GlueLabel::Score(score) => {
                    sum += score;
                    0
                }
            };
            *counts.entry(class).or_insert(0) += 1;
        }
        assert_eq!(
            counts.into_values().collect::<Vec<usize>>(),
            expected,
            "{task} {file}"
        );
        let expected = match (task.name, file) {
            ("sts-b", "train.tsv") => 15_528.043,
            ("sts-b", _) => 3_545.861,
            _ => 0.0,
        };
        assert!((sum - expected).abs() < 1e-3, "{task} {file}: {sum}");
    }
}

proptest! {
    /// A row counts whatever its text holds: no line end is found in it, no quote eats a tab.
    #[test]
    fn any_sentence_is_kept(text in "[^\t\n]*[^\t\n\r]", other in "[\"'a\u{2028}\r]*") {
        let file = format!("index\tsentence1\tsentence2\n0\t{other}\t{text}\n1\t{text}\tb\n");
        let examples = parsed(task("rte"), "test.tsv", &file).examples;
        prop_assert_eq!(examples.len(), 2);
        prop_assert_eq!(&examples[0].text_a, &other);
        prop_assert_eq!(examples[0].text_b.as_deref(), Some(text.as_str()));
        prop_assert_eq!(&examples[1].text_a, &text);
    }
}
