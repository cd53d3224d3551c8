//! The SWAG commands.

use std::fs;
use std::path::Path;

use bert_test_support::{repository, small_swag};
use serde_json::Value;

use crate::support::{done, refused};

const MODEL: &str = "data/demo/bert-small";
const HEADER: &str =
    ",video-id,fold-ind,startphrase,sent1,sent2,gold-source,ending0,ending1,ending2,ending3,label";

#[test]
fn features_are_four_rows_of_two_segments() {
    let text = done(&[
        "features-swag",
        "--bert-model",
        MODEL,
        "--data",
        "data/demo/swag/val.csv",
        "--max_seq_length",
        "16",
    ]);
    assert!(text.lines().count() > 100);
    for line in text.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        assert!(record["label"].as_u64().unwrap() < 4);
        let choices = record["choices"].as_array().unwrap();
        assert_eq!(choices.len(), 4);
        for choice in choices {
            let length = choice["input_ids"].as_array().unwrap().len();
            let types = choice["token_type_ids"].as_array().unwrap();
            assert!(length <= 16 && types.len() == length);
            assert!(types[0] == 0 && types[length - 1] == 1);
        }
    }
}

#[test]
fn bad_files_are_one_line_and_code_2() {
    let dir = tempfile::tempdir().unwrap();
    let row = "0,v,7,a b,a,b,gold,c,d,e,f";
    let cases: [(&str, String, &str); 5] = [
        ("label.csv", format!("{HEADER}\n{row},4\n"), "label.csv:2"),
        ("columns.csv", format!("{HEADER}\n{row}\n"), "columns.csv:2"),
        ("header.csv", "a,b\n1,2\n".to_owned(), "context"),
        (
            "quote.csv",
            format!("{HEADER}\n0,v,7,\"a b,a,b,gold,c,d,e,f,1\n"),
            "quote.csv:2",
        ),
        ("rows.csv", format!("{HEADER}\n"), "rows.csv"),
    ];
    for (name, text, expected) in cases {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        let line = refused(&[
            "features-swag",
            "--bert-model",
            MODEL,
            "--data",
            path.to_str().unwrap(),
        ]);
        assert!(line.contains(expected), "{line}");
    }
}

#[test]
fn settings_that_do_not_fit_are_refused_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let out = out.to_str().unwrap();
    let empty = dir.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let empty = empty.to_str().unwrap();
    let cases: [(&[&str], &str); 6] = [
        (&["--seeds", "1,2,1"], "--seeds: found 1 twice"),
        (&["--eval-batch-size", "0"], "--eval-batch-size: found 0"),
        (
            &["--max-seq-length", "4"],
            "--max-seq-length: found 4, expected at least 5",
        ),
        (
            &[
                "--train-batch-size",
                "16",
                "--gradient-accumulation-steps",
                "3",
            ],
            "--gradient-accumulation-steps: found 3, expected a divisor of",
        ),
        (
            &["--data-dir", empty, "--bert-model", MODEL],
            "found none of train.csv, val.csv",
        ),
        (
            &["--data-dir", "no-such-folder", "--bert-model", MODEL],
            "found no such folder",
        ),
    ];
    for (flags, expected) in cases {
        let line = refused(&[&["train-swag", "--output-dir", out][..], flags].concat());
        assert!(line.contains(expected), "{line}");
        assert!(!Path::new(out).exists());
    }
}

#[test]
fn a_short_run_leaves_a_checkpoint_that_chooses_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    small_swag(&data);
    let out = dir.path().join("out");
    let printed = done(&[
        "train-swag",
        "--bert-model",
        MODEL,
        "--from-scratch",
        "--data-dir",
        data.to_str().unwrap(),
        "--output-dir",
        out.to_str().unwrap(),
        "--train-batch-size",
        "4",
        "--gradient-accumulation-steps",
        "2",
        "--num-train-epochs",
        "2",
        "--max-seq-length",
        "48",
        "--device",
        "cpu",
    ]);
    let written = fs::read_to_string(out.join("eval_results.txt")).unwrap();
    for key in [
        "eval_accuracy = ",
        "eval_loss = ",
        "global_step = 6",
        "loss = ",
    ] {
        assert!(
            written.lines().any(|line| line.starts_with(key)),
            "{key}: {written}"
        );
    }
    assert!(printed.contains("fine-tuned"), "{printed}");
    for file in [
        "eval_results.txt",
        "eval_results.json",
        "run.json",
        "metrics.jsonl",
        "config.json",
    ] {
        assert!(out.join(file).exists(), "{file}");
    }
    let config: Value =
        serde_json::from_slice(&fs::read(out.join("config.json")).unwrap()).unwrap();
    assert_eq!(config["architectures"][0], "BertForMultipleChoice");
    let chosen = fs::read_to_string(out.join("predictions.csv")).unwrap();
    assert_eq!(chosen.lines().count(), 6, "{chosen}");

    let again = dir.path().join("again");
    let predict = [
        "predict-swag",
        "--model",
        out.to_str().unwrap(),
        "--predict-file",
        &data.join("test.csv").display().to_string(),
        "--output-dir",
        again.to_str().unwrap(),
        "--max-seq-length",
        "48",
        "--device",
        "cpu",
    ];
    assert_eq!(done(&predict), "", "there is nothing to score");
    assert_eq!(
        fs::read_to_string(again.join("predictions.csv")).unwrap(),
        chosen
    );

    // A choice's head has the shape of a regression's, and is not taken for one.
    let mut config = config;
    config["id2label"] = serde_json::json!({"0": "LABEL_0"});
    fs::write(out.join("config.json"), config.to_string()).unwrap();
    let line = refused(&[
        "predict-glue",
        "--model",
        out.to_str().unwrap(),
        "--task",
        "sts-b",
        "--predict-file",
        "data/demo/glue/STS-B/dev.tsv",
        "--output-dir",
        again.to_str().unwrap(),
        "--device",
        "cpu",
    ]);
    assert!(
        line.contains(
            "found \"BertForMultipleChoice\", expected \"BertForSequenceClassification\""
        ),
        "{line}"
    );
}

/// A table of choices among five endings; the right one says what the context says.
fn five_endings(path: &Path, rows: usize, labelled: bool) {
    let words = ["red", "blue", "green", "white", "black"];
    let mut text = "context\tending0\tending1\tending2\tending3\tending4".to_owned();
    text.push_str(if labelled { "\tlabel\n" } else { "\n" });
    for row in 0..rows {
        let label = row % words.len();
        text.push_str(&format!(
            "The door is {}.\t{}",
            words[label],
            words.join("\t")
        ));
        text.push_str(&if labelled {
            format!("\t{label}\n")
        } else {
            "\n".to_owned()
        });
    }
    fs::write(path, text).unwrap();
}

#[test]
fn choices_among_five_endings_are_trained_and_predicted() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    five_endings(&dir.path().join("train.tsv"), 10, true);
    five_endings(&dir.path().join("held-out.tsv"), 5, true);
    five_endings(&dir.path().join("new.tsv"), 3, false);
    let printed = done(&[
        "train-swag",
        "--bert-model",
        MODEL,
        "--from-scratch",
        "--train-file",
        &path("train.tsv"),
        "--eval-file",
        &path("held-out.tsv"),
        "--output-dir",
        &path("out"),
        "--train-batch-size",
        "2",
        "--num-train-epochs",
        "1",
        "--max-seq-length",
        "24",
        "--device",
        "cpu",
    ]);
    assert!(printed.contains("fine-tuned"), "{printed}");
    done(&[
        "predict-swag",
        "--model",
        &path("out"),
        "--predict-file",
        &path("new.tsv"),
        "--output-dir",
        &path("new"),
        "--max-seq-length",
        "24",
        "--device",
        "cpu",
    ]);
    let csv = fs::read_to_string(path("new/predictions.csv")).unwrap();
    let mut lines = csv.lines();
    assert_eq!(
        lines.next(),
        Some("fold-ind,ending0,ending1,ending2,ending3,ending4,pred")
    );
    assert!(lines.next().unwrap().starts_with("new-0,"), "{csv}");
    let jsonl = fs::read_to_string(path("new/predictions.jsonl")).unwrap();
    for line in jsonl.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["probabilities"].as_array().unwrap().len(), 5);
        assert!(line["prediction"].as_u64().unwrap() < 5);
    }
    assert_eq!(jsonl.lines().count(), 3);
}

/// A full log disk must not end a run that could print its results.
#[cfg(target_os = "linux")]
#[test]
fn a_stderr_that_cannot_be_written_stops_nothing() {
    let full = || {
        fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap()
    };
    let run = |data: &str| {
        std::process::Command::new(env!("CARGO_BIN_EXE_bert"))
            .args(["features-swag", "--bert-model", MODEL, "--data", data])
            .current_dir(repository())
            .stderr(full())
            .output()
            .unwrap()
    };
    let output = run("data/demo/swag/val.csv");
    assert!(output.status.success());
    let lines = output.stdout.iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(lines, 300);
    assert_eq!(run("no-such-file.csv").status.code(), Some(2));
}

#[test]
fn a_result_never_replaces_an_input() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("predictions.csv");
    fs::copy(repository().join("data/demo/swag/test.csv"), &path).unwrap();
    let before = fs::read(&path).unwrap();
    let line = refused(&[
        "predict-swag",
        "--model",
        MODEL,
        "--predict-file",
        path.to_str().unwrap(),
        "--output-dir",
        dir.path().to_str().unwrap(),
        "--device",
        "cpu",
    ]);
    assert!(line.contains("would be overwritten"), "{line}");
    assert_eq!(fs::read(&path).unwrap(), before);
}
