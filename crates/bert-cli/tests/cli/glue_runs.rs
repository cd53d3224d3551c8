//! Several seeds and several tasks.

use std::fs;

use bert_test_support::{json, repository};

use crate::glue_support::{DEMO, MODEL, train};
use crate::support::{done, refused};

#[test]
fn several_seeds_have_a_folder_each_and_a_mean() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let printed = train("wnli", &out, &["--seeds", "3,5"]);
    assert!(printed.starts_with("seed "), "{printed}");
    assert!(printed.contains("mean ± sd"), "{printed}");
    let summary = json(&out.join("seeds.json"));
    assert_eq!(summary["seeds"], serde_json::json!([3, 5]));
    let accuracy = |seed: &str| {
        let results = json(&out.join(format!("seed-{seed}/eval_results.json")));
        results["eval_accuracy"].as_f64().unwrap()
    };
    let mean = (accuracy("3") + accuracy("5")) / 2.0;
    let found = summary["mean"]["eval_accuracy"].as_f64().unwrap();
    assert!((found - mean).abs() < 1e-12);
    let again = refused(&[
        "train-glue",
        "--task",
        "wnli",
        "--output-dir",
        out.to_str().unwrap(),
        "--seeds",
        "3,5",
    ]);
    assert!(
        again.contains("seed-3: found run.json of an earlier run"),
        "{again}"
    );
}

#[test]
fn every_task_found_is_trained_and_ends_in_one_table() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    for folder in ["CoLA", "RTE"] {
        fs::create_dir_all(data.join(folder)).unwrap();
        for file in ["train.tsv", "dev.tsv"] {
            let from = repository().join(DEMO).join(folder).join(file);
            fs::copy(from, data.join(folder).join(file)).unwrap();
        }
    }
    let out = dir.path().join("out");
    let data = data.to_str().unwrap();
    let printed = train(
        "all",
        &out,
        &["--data-dir", data, "--bert-model", MODEL, "--from-scratch"],
    );
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), 2, "{printed}");
    assert!(lines[0].starts_with("cola") && lines[0].contains("Matthews"));
    assert!(lines[1].starts_with("rte") && lines[1].contains("accuracy"));
    let results = json(&out.join("glue_results.json"));
    assert!(results["rte"]["42"]["eval_accuracy"].is_f64());
    assert!(out.join("cola/model.safetensors").exists());
}

#[test]
fn a_labelled_test_file_does_not_stand_in_for_the_development_file() {
    let dir = tempfile::tempdir().unwrap();
    let rows = "good,praise\nbad,blame\n".repeat(6);
    for (name, text) in [
        ("train.csv", rows.as_str()),
        ("dev.csv", "good,praise\nbad,blame\n"),
        ("test.csv", "good,blame\nbad,praise\n"),
    ] {
        fs::write(dir.path().join(name), format!("text,label\n{text}")).unwrap();
    }
    let out = dir.path().join("out");
    done(&[
        "train-glue",
        "--task",
        "csv",
        "--data-dir",
        dir.path().to_str().unwrap(),
        "--bert-model",
        MODEL,
        "--from-scratch",
        "--output-dir",
        out.to_str().unwrap(),
        "--learning-rate",
        "1e-3",
        "--num-train-epochs",
        "20",
        "--train-batch-size",
        "4",
        "--max-seq-length",
        "16",
        "--device",
        "cpu",
    ]);
    let results = json(&out.join("eval_results.json"));
    assert_eq!(results["eval_accuracy"], 1.0);
    assert_eq!(results["eval_accuracy_test"], 0.0);
}

#[test]
fn a_run_that_predicts_one_class_is_marked() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    // One step at a rate of nearly nothing leaves an untrained head.
    let printed = train(
        "sst-2",
        &out,
        &["--seeds", "1,2", "--learning-rate", "1e-12"],
    );
    let summary = json(&out.join("seeds.json"));
    let marked = summary["degenerate"].as_object().unwrap();
    let lines: Vec<&str> = printed.lines().collect();
    for (line, seed) in lines[1..3].iter().zip(["1", "2"]) {
        let results = json(&out.join(format!("seed-{seed}/eval_results.json")));
        let accuracy = results["eval_accuracy"].as_f64().unwrap();
        // 80 of the demo's 160 rows are of each class.
        assert_eq!(line.contains("degenerate: "), accuracy <= 0.5, "{line}");
        assert_eq!(marked.contains_key(seed), accuracy <= 0.5);
    }
    let deviation = summary["standard_deviation"]["eval_accuracy"]
        .as_f64()
        .unwrap();
    let accuracy = |seed: &str| summary["results"][seed]["eval_accuracy"].as_f64().unwrap();
    let expected = (accuracy("1") - accuracy("2")).abs() / 2.0_f64.sqrt();
    assert!((deviation - expected).abs() < 1e-12);
}

#[test]
fn a_bad_file_of_the_last_task_stops_before_the_first_is_trained() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    for folder in ["CoLA", "RTE"] {
        fs::create_dir_all(data.join(folder)).unwrap();
        let from = repository().join(DEMO).join(folder).join("train.tsv");
        fs::copy(from, data.join(folder).join("train.tsv")).unwrap();
    }
    fs::write(data.join("RTE/dev.tsv"), "index\tsentence1\n").unwrap();
    let out = dir.path().join("out");
    let line = refused(&[
        "train-glue",
        "--task",
        "all",
        "--data-dir",
        data.to_str().unwrap(),
        "--bert-model",
        MODEL,
        "--from-scratch",
        "--output-dir",
        out.to_str().unwrap(),
    ]);
    assert!(line.contains("RTE/dev.tsv"), "{line}");
    assert!(!out.exists());
    fs::write(dir.path().join("file"), "").unwrap();
    let line = refused(&[
        "train-glue",
        "--task",
        "rte",
        "--output-dir",
        dir.path().join("file/out").to_str().unwrap(),
    ]);
    assert!(line.contains("found the file"), "{line}");
}
