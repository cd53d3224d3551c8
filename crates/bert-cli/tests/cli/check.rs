//! `bert check`.

use std::fs;

use serde_json::{Value, json};

use crate::support::{done, refused};

const MODEL: [&str; 3] = ["check", "--bert-model", "data/demo/bert-small"];

#[test]
fn a_table_is_looked_at_before_a_training() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let train = write(
        "t.csv",
        "text,label\na bakery,a\na bakery,b\n,a\nthe old bakery,a\nthe old bakery,a\n",
    );
    let dev = write("d.csv", "text,label\na bakery,a\na museum,b\n");
    let words = [
        &MODEL[..],
        &[
            "--task",
            "csv",
            "--train-file",
            &train,
            "--eval-file",
            &dev,
            "--max-seq-length",
            "4",
        ],
    ]
    .concat();
    let found: Value = serde_json::from_str(&done(&[&words[..], &["--json"]].concat())).unwrap();
    let first = &found["files"][0];
    assert_eq!(first["rows"], 5);
    assert_eq!(first["labels"], json!({"a": 4, "b": 1}));
    assert_eq!(first["majority_accuracy"], 0.8);
    assert!((first["random_accuracy"].as_f64().unwrap() - 0.68).abs() < 1e-12);
    assert_eq!(
        (&first["empty"], &first["repeated"], &first["conflicting"]),
        (&json!(1), &json!(2), &json!(1))
    );
    assert_eq!(first["cut_share"], 0.4);
    assert_eq!(found["overlap"], 1);
    assert_eq!(found["suggested_max_seq_length"], 32);
    let text = done(&words);
    for line in [
        "rows         5",
        "1 without a text",
        "2 repeat an earlier one",
        "1 texts with different labels",
        "80.0 % right by the most frequent label",
        "in both files  1 rows (50.0 % of the development file)",
        "--max-seq-length 32 holds 99 % of the training rows whole",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    let one = write("one.csv", "text,label\na,x\nb,x\n");
    let line = refused(&[&MODEL[..], &["--task", "csv", "--train-file", &one]].concat());
    assert!(
        line.contains("one.csv: found \"x\" as the only label"),
        "{line}"
    );
    let line = refused(
        &[
            &MODEL[..],
            &["--task", "csv", "--train-file", "no-such.csv"],
        ]
        .concat(),
    );
    assert!(line.contains("no-such.csv"), "{line}");
}

#[test]
fn every_family_is_looked_at() {
    let json = |words: &[&str]| -> Value {
        serde_json::from_str(&done(&[&MODEL[..], words, &["--json"]].concat())).unwrap()
    };
    let squad = json(&[
        "--task",
        "squad",
        "--train-file",
        "data/demo/squad/dev-v1.1.json",
    ]);
    assert_eq!(squad["files"][0]["misplaced_answers"], 0);
    assert!(squad["files"][0]["tokens"]["most"].as_u64() > Some(50));
    let swag = json(&["--task", "swag", "--train-file", "data/demo/swag/val.csv"]);
    assert_eq!(swag["files"][0]["labels"].as_object().unwrap().len(), 4);
    let rte = json(&[
        "--task",
        "rte",
        "--train-file",
        "data/demo/glue/RTE/dev.tsv",
    ]);
    assert_eq!(rte["files"][0]["majority_accuracy"], 0.5);
}

#[test]
fn numbers_and_several_labels_are_looked_at() {
    let dir = tempfile::tempdir().unwrap();
    let look = |name: &str, text: &str, flags: &[&str]| {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        let path = path.to_str().unwrap();
        let words = [&MODEL[..], &["--task", "csv", "--train-file", path], flags].concat();
        words.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let run = |words: &[String], more: &[&str]| {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        done(&[&words[..], more].concat())
    };
    let numbers = look("n.csv", "text,label\na,1\nb,2\na,3\n", &["--regression"]);
    let found: Value = serde_json::from_str(&run(&numbers, &["--json"])).unwrap();
    let first = &found["files"][0];
    assert_eq!(
        (&first["labels"], &first["conflicting"]),
        (&json!({}), &json!(1))
    );
    assert_eq!(first["majority_accuracy"], Value::Null);
    let spread = first["numbers"]["standard_deviation"].as_f64().unwrap();
    assert!((spread - (2.0_f64 / 3.0).sqrt()).abs() < 1e-12);
    assert!(run(&numbers, &[]).contains("numbers      1 to 3, mean 2.0000"));
    let several = "text,label\na,x|y\nb,\na,y|x\nc,x\n";
    let several = look(
        "s.csv",
        several,
        &["--multi-label", "--label-separator", "|"],
    );
    let found: Value = serde_json::from_str(&run(&several, &["--json"])).unwrap();
    let first = &found["files"][0];
    assert_eq!(first["labels"], json!({"x": 3, "y": 2}));
    assert_eq!(
        (&first["unlabelled"], &first["conflicting"]),
        (&json!(1), &json!(0))
    );
    assert!(run(&several, &[]).contains("1 rows without a label"));
    let bad = look("b.csv", "text,label\na,1\nb,two\n", &["--regression"]);
    let bad: Vec<&str> = bad.iter().map(String::as_str).collect();
    let line = refused(&bad);
    assert!(line.contains("b.csv") && line.contains("two"), "{line}");
}
