//! The SQuAD commands.

use std::fs;
use std::path::Path;

use bert_test_support::repository;
use serde_json::Value;

use crate::support::{bert, refused, stderr};

#[test]
fn help_is_no_error_and_nonsense_is() {
    let help = bert(&["train-squad", "--help"]);
    assert!(help.status.success());
    assert!(
        String::from_utf8(help.stdout)
            .unwrap()
            .contains("--gradient-accumulation-steps")
    );
    assert_eq!(bert(&["train-squid"]).status.code(), Some(2));
    assert_eq!(bert(&[]).status.code(), Some(2));
}

#[test]
fn bad_data_files_are_one_line_and_code_2() {
    let dir = tempfile::tempdir().unwrap();
    let nested = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let null_id = r#"{"version":"1.1","data":[{"title":"t","paragraphs":[{"context":"c","qas":[{"id":null,"question":"q","answers":[]}]}]}]}"#;
    let cases: [(&str, &[u8], &str); 6] = [
        ("empty.json", b"", ""),
        ("truncated.json", b"{\"version\": \"1.1\", \"data\": [", ""),
        ("latin1.json", b"{\"version\": \"\xe9\"}", "UTF-8"),
        ("version.json", b"{\"version\": \"7\", \"data\": []}", "7"),
        (
            "null.json",
            null_id.as_bytes(),
            "data[0].paragraphs[0].qas[0].id",
        ),
        ("nested.json", nested.as_bytes(), ""),
    ];
    for (name, bytes, expected) in cases {
        let path = dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        let path = path.to_str().unwrap();
        let line = refused(&["evaluate-squad", "--data", path, "--predictions", path]);
        assert!(line.contains(name) && line.contains(expected), "{line}");
        let features = [
            "features-squad",
            "--bert-model",
            "data/demo/bert-small",
            "--data",
            path,
        ];
        assert!(refused(&features).contains(name));
    }
    for path in ["no-such-file.json", "data"] {
        let line = refused(&["evaluate-squad", "--data", path, "--predictions", path]);
        assert!(line.contains(path), "{line}");
    }
}

#[test]
fn the_golden_evaluation_is_printed_with_every_digit() {
    for version in ["v1", "v2"] {
        let case = format!("tests/golden/squad-{version}-metrics");
        let data = format!("{case}/input/data.json");
        let predictions = format!("{case}/input/predictions.json");
        let output = bert(&[
            "evaluate-squad",
            "--data",
            &data,
            "--predictions",
            &predictions,
        ]);
        assert!(output.status.success(), "{}", stderr(&output));
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        let expected =
            fs::read(repository().join(format!("{case}/expected/results.json"))).unwrap();
        assert_eq!(found, serde_json::from_slice::<Value>(&expected).unwrap());
        assert!(stderr(&output).contains("have no prediction and score 0"));
    }
}

#[test]
fn questions_without_answers_are_counted_and_not_scored() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let file = |qas: &str| {
        format!(
            r#"{{"version": "1.1", "data": [{{"paragraphs": [{{"context": "a b c", "qas": [{qas}]}}]}}]}}"#
        )
    };
    let answered = r#"{"id": "1", "question": "q", "answers": [{"text": "b", "answer_start": 2}]}"#;
    let empty = r#"{"id": "2", "question": "q", "answers": []}"#;
    let missing = r#"{"id": "3", "question": "q"}"#;
    fs::write(path("predictions.json"), r#"{"1": "b", "2": "a"}"#).unwrap();
    let evaluate = |qas: &str| {
        fs::write(path("data.json"), file(qas)).unwrap();
        let (data, predictions) = (path("data.json"), path("predictions.json"));
        bert(&[
            "evaluate-squad",
            "--data",
            &data,
            "--predictions",
            &predictions,
        ])
    };
    let output = evaluate(&[answered, empty, missing].join(","));
    let scores: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(scores["exact_match"], 100.0);
    let line = "2 of 3 questions have no answers in the file and are not scored";
    assert!(stderr(&output).contains(line), "{}", stderr(&output));
    for (qas, expected) in [
        (missing, "found no question with answers"),
        ("", "found no questions"),
    ] {
        let output = evaluate(qas);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    }
}

#[test]
fn features_are_json_lines_with_underscored_flags_too() {
    let output = bert(&[
        "features-squad",
        "--bert_model",
        "data/demo/bert-small",
        "--data",
        "data/demo/squad/dev-v1.1.json",
        "--max_seq_length",
        "64",
        "--doc_stride=16",
        "--training",
    ]);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.lines().count() > 100);
    for line in text.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let length = record["input_ids"].as_array().unwrap().len();
        assert!(length <= 64 && record["token_type_ids"].as_array().unwrap().len() == length);
        assert!(
            record["start_position"].as_u64().unwrap() <= record["end_position"].as_u64().unwrap()
        );
    }
}

#[test]
fn a_dry_run_prints_the_plan_and_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let output = bert(&[
        "train-squad",
        "--dry-run",
        "--json",
        "--output-dir",
        out.to_str().unwrap(),
        "--device",
        "cpu",
    ]);
    assert!(output.status.success(), "{}", stderr(&output));
    let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(plan["total_steps"].as_u64().unwrap() > 100);
    assert_eq!(plan["settings"]["seed"], 42);
    assert!(!out.exists());
}

#[test]
fn settings_that_do_not_fit_are_refused_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let out = out.to_str().unwrap();
    let cases: [(&[&str], &str); 9] = [
        (
            &["--gradient-accumulation-steps", "3"],
            "--gradient-accumulation-steps: found 3, expected a divisor of",
        ),
        (
            &["--num-train-epochs", "0"],
            "--num-train-epochs: found 0, expected above 0",
        ),
        (
            &["--max-seq-length", "4096"],
            "--max-seq-length: found 4096, expected at most config.json's",
        ),
        (&["--fp16"], "--fp16 and --loss-scale are not supported"),
        (&["--local-rank", "0"], "--local-rank: found 0, expected -1"),
        (
            &["--max-train-examples", "0"],
            "--max-train-examples: found 0, expected at least 1",
        ),
        (
            &["--n-best-size", "0"],
            "--n-best-size: found 0, expected at least 1",
        ),
        (
            &["--predict-batch-size", "0"],
            "--predict-batch-size: found 0, expected at least 1",
        ),
        (
            &["--pad-to-multiple-of", "0"],
            "--pad-to-multiple-of: found 0, expected at least 1",
        ),
    ];
    for (flags, expected) in cases {
        let arguments = [&["train-squad", "--output-dir", out][..], flags].concat();
        let line = refused(&arguments);
        assert!(line.contains(expected), "{line}");
        assert!(!Path::new(out).exists());
    }
    let line = refused(&[
        "train-squad",
        "--bert-model",
        "./no/such/model",
        "--train-file",
        "data/demo/squad/train-v1.1.json",
        "--output-dir",
        out,
    ]);
    assert!(
        line.contains("no/such/model: found no such folder"),
        "{line}"
    );
    let untrained = [
        "predict-squad",
        "--model",
        "data/demo/bert-small",
        "--predict-file",
        "data/demo/squad/dev-v1.1.json",
        "--max-seq-length",
        "128",
        "--output-dir",
        out,
    ];
    assert!(refused(&untrained).contains("found neither model.safetensors nor pytorch_model.bin"));
}

#[cfg(unix)]
#[test]
fn inputs_that_cannot_be_read_twice_are_refused_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let out = dir.path().join("out");
    for (input, found) in [
        (pipe.to_str().unwrap(), "a pipe"),
        ("/dev/zero", "a device"),
    ] {
        let line = refused(&[
            "train-squad",
            "--bert-model",
            "data/demo/bert-small",
            "--from-scratch",
            "--max-seq-length",
            "64",
            "--train-file",
            input,
            "--output-dir",
            out.to_str().unwrap(),
            "--device",
            "cpu",
        ]);
        let expected = format!("{input}: found {found}, expected a regular file");
        assert!(line.contains(&expected), "{line}");
    }
}

#[test]
fn a_short_run_leaves_a_checkpoint_that_predicts() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let out = out.to_str().unwrap();
    let data = dir.path().join("small.json");
    fs::write(&data, small_dataset()).unwrap();
    let data = data.to_str().unwrap();
    let train = [
        "train-squad",
        "--bert-model",
        "data/demo/bert-small",
        "--from-scratch",
        "--train-file",
        data,
        "--predict-file",
        data,
        "--output-dir",
        out,
        "--num-train-epochs",
        "2",
        "--train-batch-size",
        "4",
        "--max-seq-length",
        "96",
        "--doc-stride",
        "32",
        "--max-query-length",
        "24",
        "--device",
        "cpu",
    ];
    let output = bert(&train);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains("fine-tuned")
    );
    for file in [
        "config.json",
        "vocab.txt",
        "tokenizer.json",
        "tokenizer_config.json",
        "model.safetensors",
        "predictions.json",
        "nbest_predictions.json",
        "eval_results.txt",
        "eval_results.json",
        "run.json",
        "metrics.jsonl",
    ] {
        assert!(Path::new(out).join(file).exists(), "{file}");
    }
    assert!(
        refused(&train).contains("of an earlier run"),
        "a second run does not overwrite the first"
    );

    // What an earlier prediction left, of a file with other questions.
    let predicted = dir.path().join("predicted");
    fs::create_dir(&predicted).unwrap();
    const EARLIER: [&str; 5] = [
        "predictions.json",
        "nbest_predictions.json",
        "null_odds.json",
        "eval_results.txt",
        "eval_results.json",
    ];
    for file in EARLIER {
        fs::write(predicted.join(file), "earlier").unwrap();
    }
    let predict = [
        "predict-squad",
        "--model",
        out,
        "--predict-file",
        data,
        "--output-dir",
        predicted.to_str().unwrap(),
        "--device",
        "cpu",
    ];
    // The predictions need more than the one block that a file may have.
    let line = format!(
        "ulimit -f 1; exec '{}' '{}'",
        env!("CARGO_BIN_EXE_bert"),
        predict.join("' '")
    );
    let full = std::process::Command::new("bash")
        .args(["-c", &line])
        .current_dir(repository())
        .output()
        .unwrap();
    assert_eq!(full.status.code(), Some(1), "{}", stderr(&full));
    let message = stderr(&full);
    assert!(
        message.contains("/predictions.json: cannot be written"),
        "{message}"
    );
    for file in EARLIER {
        let kept = fs::read_to_string(predicted.join(file)).unwrap();
        assert_eq!(kept, "earlier", "{file}");
    }
    let output = bert(&predict);
    assert!(output.status.success(), "{}", stderr(&output));
    let lengths = "windows of 96 tokens every 32, questions of at most 24";
    assert!(
        stderr(&output).contains(lengths),
        "those of the training: {}",
        stderr(&output)
    );
    assert!(!predicted.join("null_odds.json").exists());
    let scores = fs::read_to_string(predicted.join("eval_results.json")).unwrap();
    assert!(scores.contains("\"f1\""), "{scores}");
    let left = fs::read_dir(&predicted).unwrap();
    assert_eq!(
        left.count(),
        4,
        "predictions, lists and two files of scores"
    );
    let read = |dir: &Path| fs::read_to_string(dir.join("predictions.json")).unwrap();
    assert_eq!(
        read(Path::new(out)),
        read(&predicted),
        "the saved checkpoint predicts what the run predicted"
    );

    // A file of questions that has the name of a result is not replaced by it.
    let own = predicted.join("predictions.json");
    fs::copy(data, &own).unwrap();
    let mut in_place = predict;
    in_place[4] = own.to_str().unwrap();
    let line = refused(&in_place);
    assert!(
        line.contains("predictions.json would be overwritten"),
        "{line}"
    );
    assert_eq!(fs::read(&own).unwrap(), fs::read(data).unwrap());
}

/// The first paragraphs of the bundled training file.
fn small_dataset() -> String {
    let text = fs::read_to_string(repository().join("data/demo/squad/train-v1.1.json")).unwrap();
    let mut dataset: Value = serde_json::from_str(&text).unwrap();
    let articles = dataset["data"].as_array_mut().unwrap();
    articles.truncate(1);
    articles[0]["paragraphs"]
        .as_array_mut()
        .unwrap()
        .truncate(10);
    dataset.to_string()
}
