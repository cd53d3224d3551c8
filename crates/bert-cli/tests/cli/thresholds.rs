//! The threshold for "no answer": the official script's, and the one that a training finds.

use std::fs;
use std::path::Path;

use bert_test_support::{json, repository};
use serde_json::{Map, Value, json};

use crate::support::{done, refused};

const GOLDEN: &str = "tests/golden/squad-v2-metrics";

/// The golden odds as the object that `null_odds.json` is, in a folder.
fn odds(dir: &Path) -> String {
    let golden = json(&repository().join(GOLDEN).join("input/null_odds.json"));
    let pairs = golden["odds"].as_array().unwrap().iter();
    let odds = pairs.map(|pair| {
        (
            pair["id"].as_str().unwrap().to_owned(),
            pair["odds"].clone(),
        )
    });
    let path = dir.join("null_odds.json");
    fs::write(
        &path,
        Value::Object(odds.collect::<Map<_, _>>()).to_string(),
    )
    .unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn the_best_thresholds_are_printed_with_the_official_keys() {
    let dir = tempfile::tempdir().unwrap();
    let odds = odds(dir.path());
    let (data, predictions) = (
        format!("{GOLDEN}/input/data.json"),
        format!("{GOLDEN}/input/predictions.json"),
    );
    let own = [
        "evaluate-squad",
        "--data",
        &data,
        "--predictions",
        &predictions,
    ];
    let expected = json(&repository().join(GOLDEN).join("expected/thresholds.json"));
    for (flags, key) in [
        (&["--null-odds", &odds][..], "at_1"),
        (
            &["--na_prob_file", &odds, "--na_prob_thresh", "-0.5"],
            "at_-0.5",
        ),
    ] {
        let printed = done(&[&own[..], flags].concat());
        let found: Value = serde_json::from_str(&printed).unwrap();
        let expected = expected[key].as_object().unwrap();
        let names: Vec<&str> = printed.split('"').skip(1).step_by(2).collect();
        assert_eq!(
            names[names.len() - 4..],
            [
                "best_exact",
                "best_exact_thresh",
                "best_f1",
                "best_f1_thresh"
            ]
        );
        assert_eq!(names.len(), expected.len());
        for (name, value) in expected {
            let (found, value) = (found[name].as_f64().unwrap(), value.as_f64().unwrap());
            assert!(
                (found - value).abs() < 1e-9,
                "{key} {name}: {found} {value}"
            );
        }
    }
    fs::write(dir.path().join("few.json"), r#"{"x": 1}"#).unwrap();
    let few = dir.path().join("few.json").display().to_string();
    let line = refused(&[&own[..], &["--null-odds", &few]].concat());
    assert!(
        line.contains("few.json: found no odds of question"),
        "{line}"
    );
    let line = refused(&[&own[..], &["--na-prob-thresh", "1"]].concat());
    assert!(line.contains("--null-odds"), "{line}");
    let v1 = format!("{}/input/data.json", GOLDEN.replace("v2", "v1"));
    let line = refused(&[
        "evaluate-squad",
        "--data",
        &v1,
        "--predictions",
        &predictions,
        "--null-odds",
        &odds,
    ]);
    assert!(line.contains("--null-odds: found SQuAD 1.1"), "{line}");
}

/// A small file of version 2.0, in which every other question has no answer.
fn write_data(path: &Path) {
    let mut squad = json(&repository().join("data/demo/squad/dev-v1.1.json"));
    squad["version"] = json!("v2.0");
    let articles = squad["data"].as_array_mut().unwrap();
    articles.truncate(2);
    let mut number = 0;
    for article in articles {
        for paragraph in article["paragraphs"].as_array_mut().unwrap() {
            for question in paragraph["qas"].as_array_mut().unwrap() {
                number += 1;
                question["is_impossible"] = json!(number % 2 == 0);
                if number % 2 == 0 {
                    question["answers"] = json!([]);
                }
            }
        }
    }
    fs::write(path, squad.to_string()).unwrap();
}

#[test]
fn a_training_finds_its_threshold_and_predictions_use_it() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    write_data(&dir.path().join("v2.json"));
    let (data, model) = (at("v2.json"), at("model"));
    let own = [
        "train-squad",
        "--bert-model",
        "data/demo/bert-small",
        "--from-scratch",
        "--max-steps",
        "3",
        "--no-cuda",
    ];
    let lengths = ["--max-seq-length", "128", "--max-query-length", "24"];
    let files = [
        "--train-file",
        &data,
        "--predict-file",
        &data,
        "--output-dir",
        &model,
    ];
    let all = [
        &own[..],
        &lengths,
        &files,
        &["--null-score-diff-threshold", "auto"],
    ]
    .concat();
    let line = refused(&all);
    assert!(
        line.contains("found SQuAD 2.0") || line.contains("--version-2-with-negative beside it"),
        "{line}"
    );
    done(&[&all[..], &["--version-2-with-negative"]].concat());

    let kept = json(&dir.path().join("model/null_threshold.json"));
    let threshold = kept["null_score_diff_threshold"].as_f64().unwrap();
    let results = json(&dir.path().join("model/eval_results.json"));
    assert_eq!(
        results["null_score_diff_threshold"].as_f64(),
        Some(threshold)
    );
    // The threshold gives the F1 that it was found with.
    let f1 = results["f1"].as_f64().unwrap();
    assert!(
        (f1 - kept["best_f1"].as_f64().unwrap()).abs() < 1e-9,
        "{results} {kept}"
    );
    let odds = json(&dir.path().join("model/null_odds.json"));
    let predictions = json(&dir.path().join("model/predictions.json"));
    for (id, odds) in odds.as_object().unwrap() {
        assert_eq!(
            predictions[id] == "",
            odds.as_f64().unwrap() > threshold,
            "{id}"
        );
    }

    let predict = |out: &str, flags: &[&str]| {
        let out = at(out);
        let own = [
            "predict-squad",
            "--model",
            &model,
            "--predict-file",
            &data,
            "--version-2-with-negative",
            "--no-cuda",
        ];
        done(&[&own[..], &["--output-dir", &out], flags].concat());
        json(&Path::new(&out).join("predictions.json"))
    };
    assert_eq!(predict("again", &[]), predictions);
    let none = predict("none", &["--null-score-diff-threshold", "-1e9"]);
    assert!(none.as_object().unwrap().values().all(|text| text == ""));
    // A prediction beside the model leaves the model's threshold.
    predict("model", &["--null-score-diff-threshold", "1e9"]);
    assert_eq!(json(&dir.path().join("model/null_threshold.json")), kept);

    let asked = |flags: &[&str]| {
        let own = [
            "ask",
            "--model",
            &model,
            "--json",
            "--no-cuda",
            "--text",
            "It was built in 1889.",
            "When was it built?",
        ];
        let printed = done(&[&own[..], flags].concat());
        serde_json::from_str::<Value>(printed.lines().next().unwrap()).unwrap()
    };
    let at_threshold = format!("{threshold}");
    assert_eq!(
        asked(&[]),
        asked(&["--null-score-diff-threshold", &at_threshold])
    );

    fs::write(dir.path().join("model/null_threshold.json"), "{}").unwrap();
    let line = refused(&[
        "predict-squad",
        "--model",
        &model,
        "--predict-file",
        &data,
        "--output-dir",
        &at("bad"),
        "--no-cuda",
    ]);
    assert!(line.contains("null_threshold.json"), "{line}");
}
