//! Texts with several labels, or none.

use std::fs;
use std::path::Path;

use bert_test_support::json;

use crate::support::{bert, refused, stderr};

fn write(dir: &Path, name: &str, text: &str) -> String {
    let path = dir.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_row_may_have_several_labels_or_none() {
    let dir = tempfile::tempdir().unwrap();
    let rows = "text,label\nred and blue,red;blue\nred,red\nblue,blue\nnothing,\nred again, red \nblue again,blue\n";
    let train = write(dir.path(), "train.csv", rows);
    let dev = write(dir.path(), "dev.csv", rows);
    let out = dir.path().join("out");
    let out = out.to_str().unwrap();
    let trained = |out: &str, train: &str, more: &[&str]| {
        let fixed = [
            "train-glue",
            "--task",
            "csv",
            "--bert-model",
            "data/demo/bert-small",
            "--from-scratch",
            "--max-steps",
            "2",
            "--max-seq-length",
            "16",
            "--no-cuda",
            "--train-file",
            train,
            "--eval-file",
            &dev,
            "--output-dir",
            out,
        ];
        bert(&[&fixed[..], more].concat())
    };
    let output = trained(out, &train, &["--multi-label", "--find-label-threshold"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let config = json(&Path::new(out).join("config.json"));
    assert_eq!(config["problem_type"], "multi_label_classification");
    assert_eq!(
        config["id2label"],
        serde_json::json!({"0": "blue", "1": "red"})
    );
    let results = json(&Path::new(out).join("eval_results.json"));
    let kept = json(&Path::new(out).join("label_threshold.json"));
    assert_eq!(kept["label_threshold"], results["label_threshold"]);
    assert_eq!(kept["best_micro_f1"], results["eval_micro_f1"]);
    assert!(results["eval_macro_f1"].is_f64() && results["eval_accuracy"].is_f64());
    // The checkpoint knows what its outputs are, and its threshold.
    let again = dir.path().join("again");
    let again = again.to_str().unwrap();
    let predicted = bert(&[
        "predict-glue",
        "--model",
        out,
        "--predict-file",
        &dev,
        "--output-dir",
        again,
        "--no-cuda",
    ]);
    assert!(predicted.status.success(), "{}", stderr(&predicted));
    let lines = |out: &str| {
        let text = fs::read_to_string(Path::new(out).join("predictions.jsonl")).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.collect::<Vec<serde_json::Value>>()
    };
    let threshold = kept["label_threshold"].as_f64().unwrap();
    assert_eq!(lines(again).len(), 6);
    for (line, of_training) in lines(again).iter().zip(lines(out)) {
        assert_eq!(line["prediction"], of_training["prediction"]);
        let above: Vec<&str> = ["blue", "red"]
            .into_iter()
            .filter(|label| line["probabilities"][label].as_f64().unwrap() > threshold)
            .collect();
        assert_eq!(line["prediction"], serde_json::json!(above));
    }
    assert_eq!(lines(again)[0]["label"], serde_json::json!(["blue", "red"]));
    assert_eq!(lines(again)[3]["label"], serde_json::json!([]));
    let classified = bert(&["classify", "--model", out, "red", "--no-cuda", "--json"]);
    let line: serde_json::Value = serde_json::from_slice(&classified.stdout).unwrap();
    assert_eq!(line["threshold"], kept["label_threshold"]);
    assert!(line["labels"].is_array() && line["probabilities"]["red"].is_f64());

    let unknown = write(
        dir.path(),
        "unknown.csv",
        "text,label\na,red\nb,red;green\n",
    );
    let error = refused(&[
        "predict-glue",
        "--model",
        out,
        "--predict-file",
        &unknown,
        "--output-dir",
        again,
        "--no-cuda",
    ]);
    assert!(
        error.ends_with(
            "unknown.csv:3: label: found \"green\", expected one of the model's: blue, red"
        ),
        "{error}"
    );
    let other = dir.path().join("other");
    let other = other.to_str().unwrap();
    let doubled = write(
        dir.path(),
        "doubled.csv",
        "text,label\na,red\nb,red;;blue\n",
    );
    let none = write(dir.path(), "none.csv", "text,label\na,\nb,\n");
    for (out, train, more, expected) in [
        (
            other,
            &doubled,
            &["--multi-label"][..],
            "doubled.csv:3: label: found \"red;;blue\", expected labels separated by ';', or nothing",
        ),
        (
            other,
            &none,
            &["--multi-label"],
            "none.csv: found no labels",
        ),
        (other, &train, &[], "train.csv:5: "),
        (
            other,
            &train,
            &["--multi-label", "--regression"],
            "--multi-label: found numbers to predict",
        ),
        (
            other,
            &train,
            &["--multi-label", "--class-weights", "balanced"],
            "--class-weights: found several labels a text",
        ),
        (
            other,
            &train,
            &["--find-label-threshold"],
            "--find-label-threshold: found a table without --multi-label",
        ),
        (
            out,
            &train,
            &["--multi-label"],
            "find_label_threshold was true and is null",
        ),
        (
            out,
            &train,
            &[
                "--multi-label",
                "--find-label-threshold",
                "--label-separator",
                "|",
            ],
            "label_separator was null and is \"|\"",
        ),
    ] {
        let output = trained(out, train, more);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(expected), "{said}");
    }
    assert!(!Path::new(other).exists());
}

#[test]
fn labels_in_columns_of_their_own_are_those_of_one_column() {
    let dir = tempfile::tempdir().unwrap();
    // Files of one name, which is in the ids of the rows.
    let put = |folder: &str, text: &str| {
        let folder = dir.path().join(folder);
        fs::create_dir(&folder).unwrap();
        write(&folder, "rows.csv", text)
    };
    let one = put(
        "of-one",
        "text,label\nred and blue,red;blue\nred,red\nblue,blue\nnothing,\nred again,red\nblue again,blue\n",
    );
    let columns = "text,blue,red\nred and blue,1,1\nred,0,1\nblue,1,0\nnothing,0,0\nred again,0,1\nblue again,1,0\n";
    let several = put("of-several", columns);
    let out = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let train = |name: &str, file: &str, more: &[&str]| {
        let out = out(name);
        let fixed = [
            "train-glue",
            "--task",
            "csv",
            "--bert-model",
            "data/demo/bert-small",
            "--from-scratch",
            "--max-steps",
            "2",
            "--max-seq-length",
            "16",
            "--no-cuda",
            "--train-file",
            file,
            "--eval-file",
            file,
            "--output-dir",
            &out,
        ];
        let output = bert(&[&fixed[..], more].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        fs::read(Path::new(&out).join("predictions.jsonl")).unwrap()
    };
    let expected = train("one", &one, &["--multi-label"]);
    let found = train("several", &several, &["--label-columns", "blue,red"]);
    assert_eq!(found, expected);
    // A prediction finds them in any order; they are the model's, all of them.
    let swapped = columns.replacen("blue,red", "Red,BLUE", 1);
    let swapped = put(
        "of-swapped",
        &swapped
            .replace(",0,1\n", ",x\n")
            .replace(",1,0\n", ",0,1\n")
            .replace(",x\n", ",1,0\n"),
    );
    let (model, again) = (out("several"), out("again"));
    let predict = |columns: &str| {
        [
            "predict-glue",
            "--model",
            &model,
            "--predict-file",
            &swapped,
            "--output-dir",
            &again,
            "--no-cuda",
            "--label-columns",
            columns,
        ]
        .map(str::to_owned)
    };
    let done = predict("red,blue");
    let output = bert(&done.each_ref().map(String::as_str));
    assert!(output.status.success(), "{}", stderr(&output));
    let found = fs::read(Path::new(&again).join("predictions.jsonl")).unwrap();
    assert_eq!(found, expected);
    let error = refused(&predict("red").each_ref().map(String::as_str));
    assert!(
        error.contains(
            "--label-columns: found red, expected those of the model's labels, blue, red"
        ),
        "{error}"
    );
}
