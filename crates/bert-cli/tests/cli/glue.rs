//! The GLUE commands.

use std::fs;
use std::path::Path;

use bert_test_support::json;
use serde_json::Value;

use crate::glue_support::{DEMO, MODEL, train};
use crate::support::{bert, done, refused, stderr};

#[test]
fn features_have_an_id_and_a_label_of_the_task_s_kind() {
    for (task, file, label) in [
        ("mrpc", "MRPC/dev.tsv", "class"),
        ("STS-B", "STS-B/train.tsv", "score"),
        ("cola", "CoLA/test.tsv", "none"),
        ("mnli", "MNLI/dev_mismatched.tsv", "class"),
    ] {
        let text = done(&[
            "features-glue",
            "--bert-model",
            MODEL,
            "--task",
            task,
            "--data",
            &format!("{DEMO}/{file}"),
        ]);
        let stem = Path::new(file).file_stem().unwrap().to_str().unwrap();
        for (n, line) in text.lines().enumerate() {
            let record: Value = serde_json::from_str(line).unwrap();
            assert_eq!(record["example_id"], format!("{stem}-{n}"));
            match label {
                "class" => assert!(record["label"].is_u64()),
                "score" => assert!(record["label"].is_f64()),
                _ => assert!(record["label"].is_null()),
            }
            let length = record["input_ids"].as_array().unwrap().len();
            assert_eq!(record["token_type_ids"].as_array().unwrap().len(), length);
        }
    }
}

#[test]
fn bad_files_are_one_line_and_code_2() {
    let dir = tempfile::tempdir().unwrap();
    let cases = [
        (
            "rte",
            "index\tsentence1\tsentence2\tlabel\n0\ta\tb\tperhaps\n",
            ":2",
            "perhaps",
        ),
        (
            "rte",
            "index\tsentence1\tsentence2\tlabel\n0\ta\n",
            ":2",
            "2",
        ),
        (
            "mrpc",
            "index\tsentence1\tsentence2\tlabel\n0\ta\tb\t1\n",
            "mrpc",
            "#1 String",
        ),
        (
            "sts-b",
            "index\tsentence1\tsentence2\tscore\n0\ta\tb\tNaN\n",
            ":2",
            "NaN",
        ),
        (
            "cola",
            "nothing of the kind\n",
            ":1",
            "found 1 columns, expected CoLA's 4",
        ),
        ("sst-2", "", "empty", ""),
    ];
    for (task, text, first, second) in cases {
        let path = dir.path().join("dev.tsv");
        fs::write(&path, text).unwrap();
        let path = path.to_str().unwrap();
        let features = [
            "features-glue",
            "--bert-model",
            MODEL,
            "--task",
            task,
            "--data",
            path,
        ];
        let line = refused(&features);
        assert!(
            line.to_lowercase().contains(&first.to_lowercase()) && line.contains(second),
            "{line}"
        );
    }
}

#[test]
fn the_checkpoint_knows_its_labels_and_predicts_without_being_told_the_task() {
    let dir = tempfile::tempdir().unwrap();
    for (task, folder, keys, labels, submissions) in [
        (
            "mnli",
            "MNLI",
            &["eval_accuracy = ", "eval_accuracy_mm = ", "eval_loss_mm = "][..],
            3,
            &["MNLI-m.tsv", "MNLI-mm.tsv"][..],
        ),
        (
            "sts-b",
            "STS-B",
            &["eval_pearson = ", "eval_spearmanr = ", "global_step = 3"][..],
            1,
            &["STS-B.tsv"][..],
        ),
        (
            "mrpc",
            "MRPC",
            &["eval_f1 = ", "eval_accuracy = "][..],
            2,
            &["MRPC.tsv"][..],
        ),
    ] {
        let out = dir.path().join(task);
        let printed = train(task, &out, &[]);
        let written = std::fs::read_to_string(out.join("eval_results.txt")).unwrap();
        for key in keys {
            assert!(
                written.lines().any(|line| line.starts_with(key)),
                "{key}: {written}"
            );
        }
        let last = printed.lines().last().unwrap();
        assert!(last.starts_with("fine-tuned"), "{printed}");
        let config = json(&out.join("config.json"));
        assert_eq!(config["id2label"].as_object().unwrap().len(), labels);
        assert_eq!(config["finetuning_task"], task);
        assert_eq!(config["architectures"][0], "BertForSequenceClassification");

        let again = dir.path().join(format!("{task}-again"));
        let scores = done(&[
            "predict-glue",
            "--model",
            out.to_str().unwrap(),
            "--data-dir",
            &format!("{DEMO}/{folder}"),
            "--output-dir",
            again.to_str().unwrap(),
            "--max-seq-length",
            "48",
            "--device",
            "cpu",
        ]);
        let scores: Value = serde_json::from_str(&scores).unwrap();
        let results = json(&out.join("eval_results.json"));
        for (key, value) in scores.as_object().unwrap() {
            assert_eq!(&results[key], value, "{task} {key}");
        }
        let read = |dir: &Path, file: &str| fs::read_to_string(dir.join(file)).unwrap();
        for file in submissions.iter().chain(&["predictions.jsonl"]) {
            assert_eq!(read(&out, file), read(&again, file), "{task} {file}");
        }
        for file in submissions {
            assert!(
                read(&out, file).starts_with("index\tprediction\n0\t"),
                "{task} {file}"
            );
        }
        let model = ["--model", out.to_str().unwrap(), "--device", "cpu"];
        for (pair, warns) in [(&[][..], true), (&["--pair", "two"], false)] {
            let output = bert(&[&["classify", "one"], &model[..], pair].concat());
            assert!(output.status.success(), "{}", stderr(&output));
            let warning = "the model was trained on pairs of texts, and --pair gives none";
            assert_eq!(stderr(&output).contains(warning), warns, "{task} {pair:?}");
        }
    }
}

#[test]
fn a_user_s_own_table_is_learnt_by_its_labels() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let rows = "good,praise\nbad,blame\n\"so, so\",neither\n".repeat(4);
    let train_file = write("train.csv", &format!("text,label\n{rows}"));
    let held_out = write(
        "held.tsv",
        "label\ttext\nblame\tbad bad\npraise\tgood good\n",
    );
    let unknown = write("unknown.csv", "text,label\nbad,anger\n");
    let out = dir.path().join("out");
    let out = out.to_str().unwrap();
    let printed = done(&[
        "train-glue",
        "--task",
        "csv",
        "--bert-model",
        MODEL,
        "--from-scratch",
        "--train-file",
        &train_file,
        "--eval-file",
        &held_out,
        "--output-dir",
        out,
        "--learning-rate",
        "1e-3",
        "--train-batch-size",
        "4",
        "--device",
        "cpu",
    ]);
    assert!(printed.contains("macro F1"), "{printed}");
    let config = json(&Path::new(out).join("config.json"));
    assert_eq!(config["id2label"]["0"], "blame");
    assert_eq!(config["id2label"]["1"], "neither");
    let predict = |file: &str| {
        [
            "predict-glue",
            "--model",
            out,
            "--predict-file",
            file,
            "--output-dir",
            out,
            "--device",
            "cpu",
        ]
        .map(str::to_owned)
    };
    let arguments = predict(&held_out);
    let scores = done(&arguments.each_ref().map(String::as_str));
    assert!(scores.contains("eval_accuracy"), "{scores}");
    let arguments = predict(&unknown);
    let line = refused(&arguments.each_ref().map(String::as_str));
    assert!(
        line.contains("unknown.csv:2: label: found \"anger\""),
        "{line}"
    );
}

#[test]
fn settings_that_do_not_fit_are_refused_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let out = out.to_str().unwrap();
    let cases: [(&[&str], &str); 5] = [
        (
            &["--task", "csv"],
            "found no data files, expected --data-dir or --train-file",
        ),
        (
            &["--task", "all", "--train-file", "x"],
            "--task all takes its files from --data-dir",
        ),
        (
            &[
                "--task",
                "mrpc",
                "--data-dir",
                "data/demo/squad",
                "--bert-model",
                MODEL,
            ],
            "found neither train.tsv nor dev.tsv",
        ),
        (
            &["--task", "rte", "--do-eval", "--seeds", "1,2"],
            "--seeds: found nothing to train on",
        ),
        (
            &[
                "--task",
                "rte",
                "--data-dir",
                "data/demo/glue",
                "--do-eval",
                "--bert-model",
                MODEL,
            ],
            "found neither model.safetensors nor pytorch_model.bin",
        ),
    ];
    for (flags, expected) in cases {
        let line = refused(&[&["train-glue", "--output-dir", out][..], flags].concat());
        assert!(line.contains(expected), "{line}");
        assert!(!Path::new(out).exists());
    }
}
