mod wrong_files;

use std::collections::BTreeMap;

use bert_test_support::shared_file;
use proptest::prelude::*;

use super::*;

const QQP: &str = "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate";
const MNLI: &str = "index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\t\
                    sentence2_parse\tsentence1\tsentence2";
const STS_B: &str =
    "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2";

fn parsed(task: GlueTask, name: &str, text: &str) -> GlueDataset {
    parse(task, Path::new(name), text.as_bytes()).unwrap_or_else(|error| panic!("{task}: {error}"))
}

/// What is wrong with a task's bad file named `x.tsv`.
fn message(task: GlueTask, text: impl AsRef<[u8]>) -> String {
    parse(task, Path::new("x.tsv"), text.as_ref())
        .unwrap_err()
        .to_string()
}

/// A file of a task: its header if it has one, and a row with this label.
fn with_label(task: GlueTask, label: &str) -> String {
    match task {
        GlueTask::Cola => format!("gj04\t{label}\t*\ta b \n"),
        GlueTask::Sst2 => format!("sentence\tlabel\na b \t{label}\n"),
        GlueTask::Mrpc => {
            format!("Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n{label}\t7\t8\ta b \t\"c\n")
        }
        GlueTask::StsB => {
            format!("{STS_B}\tscore\n9\tg\tf\t2012\t1\ts\ts\ta b \t\"c\t{label}\n")
        }
        GlueTask::Qqp => format!("{QQP}\n9\t1\t2\ta b \t\"c\t{label}\n"),
        GlueTask::Mnli => format!(
            "{MNLI}\tlabel1\tgold_label\n9\tp\tp\tg\t( a\t)\t(\t)\ta b \t\"c\tneutral\t{label}\n"
        ),
        GlueTask::Qnli => format!("index\tquestion\tsentence\tlabel\n9\ta b \t\"c\t{label}\n"),
        GlueTask::Rte | GlueTask::Wnli => {
            format!("index\tsentence1\tsentence2\tlabel\n9\ta b \t\"c\t{label}\n")
        }
    }
}

/// A labelled file of a task, and its one example.
fn labelled(task: GlueTask) -> (String, GlueExample) {
    let (written, label) = match task {
        GlueTask::StsB => ("3.800", GlueLabel::Score(3.8)),
        _ => (task.labels()[1], GlueLabel::Class(1)),
    };
    let has_index = !matches!(task, GlueTask::Cola | GlueTask::Sst2 | GlueTask::Mrpc);
    let example = GlueExample {
        row: 0,
        text_a: "a b ".to_owned(),
        text_b: task.is_pair().then(|| "\"c".to_owned()),
        label: Some(label),
        index: has_index.then(|| "9".to_owned()),
    };
    (with_label(task, written), example)
}

#[test]
fn labelled_files() {
    for task in GlueTask::ALL {
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
            format!("{}\r\n", text.replace('\n', "\r\n")),
        ] {
            assert_eq!(parsed(task, "d/train.tsv", &text), expected, "{text:?}");
        }
    }
}

#[test]
fn test_files() {
    let cases = [
        (GlueTask::Cola, "index\tsentence\n0\ta b \n"),
        (GlueTask::Sst2, "index\tsentence\n0\ta b \n"),
        (
            GlueTask::Mrpc,
            "index\t#1 ID\t#2 ID\t#1 String\t#2 String\n0\t1\t2\ta b \tc\n",
        ),
        (
            GlueTask::StsB,
            &format!("{STS_B}\n0\tg\tf\t2012\t1\ts\ts\ta b \tc\n"),
        ),
        (GlueTask::Qqp, "id\tquestion1\tquestion2\n0\ta b \tc\n"),
        (
            GlueTask::Mnli,
            &format!("{MNLI}\n0\tp\tp\tg\t( a\t)\t(\t)\ta b \tc\n"),
        ),
        (GlueTask::Qnli, "index\tquestion\tsentence\n0\ta b \tc\n"),
        (GlueTask::Rte, "index\tsentence1\tsentence2\n0\ta b \tc\n"),
        (GlueTask::Wnli, "index\tsentence1\tsentence2\n0\ta b \tc\n"),
    ];
    for (task, text) in cases {
        let expected = GlueDataset {
            split: "test".to_owned(),
            examples: vec![GlueExample {
                row: 0,
                text_a: "a b ".to_owned(),
                text_b: task.is_pair().then(|| "c".to_owned()),
                label: None,
                index: Some("0".to_owned()),
            }],
            labelled: false,
            skipped: Vec::new(),
        };
        assert_eq!(parsed(task, "test.tsv", text), expected, "{task}");
    }
}

#[test]
fn texts_are_kept_as_written() {
    let header = "label\textra\tsentence2\tsentence1\tindex";
    let text =
        format!("{header}\n0\t\t\"\u{2028}x\t\ra\u{85}\"\"\r\t0\n1\t\t \t\t1\r\n0\tx\t\"\t'\t\r");
    let texts: Vec<_> = parsed(GlueTask::Wnli, "dev.tsv", &text)
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
        let text = with_label(GlueTask::StsB, written);
        let dataset = parsed(GlueTask::StsB, "dev.tsv", &text);
        assert_eq!(dataset.examples[0].label, Some(GlueLabel::Score(expected)));
    }
}

#[test]
fn broken_rows_of_qqp_are_skipped() {
    let good = "9\t1\t2\ta\tb\t0\n";
    let text = format!("{QQP}\n9\t1\t2\ta\nb\t\n\n{good}");
    let dataset = parsed(GlueTask::Qqp, "train.tsv", &text);
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
    assert_eq!(parsed(GlueTask::Qqp, "dev.tsv", &at_most).skipped.len(), 4);
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
        assert_eq!(message(GlueTask::Qqp, &text), format!("x.tsv{expected}"));
    }
}

#[test]
fn rows_of_mnli_without_a_gold_label_are_skipped() {
    let (text, mut example) = labelled(GlueTask::Mnli);
    let (_, row) = text.split_once('\n').unwrap();
    let text = text.replace("\tentailment\n", "\t-\n") + row;
    let dataset = parsed(GlueTask::Mnli, "dev_matched.tsv", &text);
    example.row = 1;
    assert_eq!(dataset.examples, [example]);
    assert_eq!(dataset.split, "dev_matched");
    let reason = SkipReason::NoGoldLabel;
    assert_eq!(dataset.skipped, [SkippedRow { line: 2, reason }]);
    assert_eq!(reason.to_string(), "no gold label (\"-\")");
}

#[test]
fn names_of_tasks() {
    for task in GlueTask::ALL {
        for name in [
            task.name().to_owned(),
            task.to_string(),
            task.folder().to_owned(),
            task.name().replace('-', ""),
            task.name().to_uppercase(),
        ] {
            assert_eq!(name.parse(), Ok(task));
        }
        assert_eq!(task.labels().is_empty(), task.is_regression());
        assert_eq!(task.train_file(), "train.tsv");
        let (dev, tests): (&[&str], Vec<(&str, String)>) = match task {
            GlueTask::Mnli => (
                &["dev_matched.tsv", "dev_mismatched.tsv"],
                vec![
                    ("test_matched.tsv", "MNLI-m.tsv".to_owned()),
                    ("test_mismatched.tsv", "MNLI-mm.tsv".to_owned()),
                ],
            ),
            _ => (
                &["dev.tsv"],
                vec![("test.tsv", format!("{}.tsv", task.folder()))],
            ),
        };
        assert_eq!(task.dev_files(), dev);
        let found: Vec<_> = task
            .test_files()
            .iter()
            .map(|it| (it.file, it.submission.to_owned()))
            .collect();
        assert_eq!(found, tests);
    }
    for name in ["", "cola ", "s-s-t-2", "mnli-mm"] {
        assert_eq!(
            name.parse::<GlueTask>().unwrap_err().to_string(),
            format!(
                "found {name:?}, expected one of cola, sst-2, mrpc, sts-b, qqp, mnli, qnli, rte, wnli"
            )
        );
    }
}

#[test]
fn the_real_files() {
    let cases: [(GlueTask, &str, &[usize]); 13] = [
        (GlueTask::Cola, "train.tsv", &[2528, 6023]),
        (GlueTask::Cola, "dev.tsv", &[322, 721]),
        (GlueTask::Sst2, "train.tsv", &[29780, 37569]),
        (GlueTask::Sst2, "dev.tsv", &[428, 444]),
        (GlueTask::Mrpc, "train.tsv", &[1194, 2473]),
        (GlueTask::Mrpc, "dev.tsv", &[129, 279]),
        (GlueTask::StsB, "train.tsv", &[5749]),
        (GlueTask::StsB, "dev.tsv", &[1500]),
        (GlueTask::Qnli, "dev.tsv", &[2702, 2761]),
        (GlueTask::Rte, "train.tsv", &[1249, 1241]),
        (GlueTask::Rte, "dev.tsv", &[146, 131]),
        (GlueTask::Wnli, "train.tsv", &[323, 312]),
        (GlueTask::Wnli, "dev.tsv", &[40, 31]),
    ];
    for (task, file, expected) in cases {
        let path = format!("data/glue/{}/{file}", task.folder());
        let Some(path) = shared_file(&path) else {
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
        let expected = match (task, file) {
            (GlueTask::StsB, "train.tsv") => 15_528.043,
            (GlueTask::StsB, _) => 3_545.861,
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
        let examples = parsed(GlueTask::Rte, "test.tsv", &file).examples;
        prop_assert_eq!(examples.len(), 2);
        prop_assert_eq!(&examples[0].text_a, &other);
        prop_assert_eq!(examples[0].text_b.as_deref(), Some(text.as_str()));
        prop_assert_eq!(&examples[1].text_a, &text);
    }
}
