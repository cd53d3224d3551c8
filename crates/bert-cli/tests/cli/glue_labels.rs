//! Labels of a checkpoint and those of a task.

use std::fs;
use std::path::Path;

use bert_test_support::json;
use serde_json::{Value, json};

use crate::glue_support::{DEMO, train};
use crate::support::{done, refused};

/// Rewrites a three-class checkpoint so that its n-th output is what its (n + 1)-th was.
fn rotate_classes(from: &Path, to: &Path, names: Option<[&str; 3]>) {
    fs::create_dir(to).unwrap();
    for file in ["vocab.txt", "tokenizer_config.json"] {
        fs::copy(from.join(file), to.join(file)).unwrap();
    }
    let mut config = json(&from.join("config.json"));
    let own = config["id2label"].clone();
    for n in 0..3 {
        config["id2label"][n.to_string()] = match names {
            Some(names) => Value::from(names[n]),
            None => own[((n + 1) % 3).to_string()].clone(),
        };
    }
    config.as_object_mut().unwrap().remove("finetuning_task");
    fs::write(to.join("config.json"), config.to_string()).unwrap();
    let bytes = fs::read(from.join("model.safetensors")).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let tensors: Vec<(String, safetensors::Dtype, Vec<usize>, Vec<u8>)> = file
        .iter()
        .map(|(name, view)| {
            let mut data = view.data().to_vec();
            if name.starts_with("classifier.") {
                let row = data.len() / 3;
                data.rotate_left(row);
            }
            (name.to_owned(), view.dtype(), view.shape().to_vec(), data)
        })
        .collect();
    let views = tensors.iter().map(|(name, dtype, shape, data)| {
        let view = safetensors::tensor::TensorView::new(*dtype, shape.clone(), data).unwrap();
        (name.as_str(), view)
    });
    let bytes = safetensors::serialize(views, None).unwrap();
    fs::write(to.join("model.safetensors"), bytes).unwrap();
}

#[test]
fn classes_are_found_by_name_whatever_their_order() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    train("mnli", &out, &["--learning-rate", "1e-2"]);
    let predictions = |model: &Path, more: &[&str]| {
        let to = dir.path().join("predictions");
        let fixed = [
            "predict-glue",
            "--model",
            model.to_str().unwrap(),
            "--data-dir",
            DEMO,
            "--output-dir",
            to.to_str().unwrap(),
            "--max-seq-length",
            "48",
            "--device",
            "cpu",
        ];
        let scores = done(&[&fixed[..], more].concat());
        let lines = fs::read_to_string(to.join("predictions.jsonl")).unwrap();
        let lines: Vec<(Value, Value)> = lines
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .map(|line| (line["label"].clone(), line["prediction"].clone()))
            .collect();
        let rows = fs::read_to_string(to.join("MNLI-m.tsv")).unwrap();
        assert_eq!(rows.lines().count(), 41);
        (scores, lines, rows)
    };
    let expected = predictions(&out, &[]);

    let rotated = dir.path().join("rotated");
    rotate_classes(&out, &rotated, None);
    assert_eq!(predictions(&rotated, &["--task", "mnli"]).1, expected.1);
    assert_eq!(predictions(&rotated, &["--task", "mnli"]).2, expected.2);

    let unnamed = dir.path().join("unnamed");
    rotate_classes(&out, &unnamed, Some(["LABEL_0", "LABEL_1", "LABEL_2"]));
    let labels = "entailment,neutral,contradiction";
    let found = predictions(&unnamed, &["--task", "mnli", "--labels", labels]);
    assert_eq!(found.1, expected.1);
    let refuse = |more: &[&str]| {
        let fixed = [
            "predict-glue",
            "--model",
            unnamed.to_str().unwrap(),
            "--data-dir",
            DEMO,
            "--output-dir",
            "unused",
        ];
        refused(&[&fixed[..], more].concat())
    };
    assert!(refuse(&["--task", "mnli"]).contains("--labels says what they mean"));
    assert!(refuse(&[]).contains("--task: found none"));
    let twice = refuse(&["--task", "mnli", "--labels", "a,a,b"]);
    assert!(twice.contains("--labels: found \"a\" as name 2"), "{twice}");
}

#[test]
fn a_checkpoint_names_classes_as_transformers_does_and_an_older_one_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    train("mrpc", &out, &[]);
    let path = out.join("config.json");
    let mut config = json(&path);
    assert_eq!(
        config["id2label"],
        json!({"0": "not_equivalent", "1": "equivalent"})
    );
    assert_eq!(
        config["label2id"],
        json!({"not_equivalent": 0, "equivalent": 1})
    );
    let predictions = || {
        let to = dir.path().join("predictions");
        done(&[
            "predict-glue",
            "--model",
            out.to_str().unwrap(),
            "--data-dir",
            DEMO,
            "--output-dir",
            to.to_str().unwrap(),
            "--max-seq-length",
            "48",
            "--device",
            "cpu",
        ]);
        ["predictions.jsonl", "MRPC.tsv"].map(|file| fs::read_to_string(to.join(file)).unwrap())
    };
    let expected = predictions();
    // The labels of the files stay those of the task's files.
    for text in &expected {
        assert!(!text.contains("equivalent"), "{text}");
    }
    config["id2label"] = json!({"0": "0", "1": "1"});
    config["label2id"] = json!({"0": 0, "1": 1});
    fs::write(&path, config.to_string()).unwrap();
    assert_eq!(predictions(), expected);
}
