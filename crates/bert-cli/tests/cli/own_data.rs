//! Rows of one's own: JSON, columns by name, a development set out of the training file.

use std::fs;
use std::path::Path;

use bert_test_support::{Workspace, json, repository};
use serde_json::Value;

use crate::support::{bert, refused, stderr};

/// The plan of a training, and what it says on the way.
fn plan(words: &[&str]) -> (Value, String) {
    let own = [
        "--bert-model",
        "data/demo/bert-small",
        "--from-scratch",
        "--dry-run",
        "--json",
        "--no-cuda",
    ];
    let out = tempfile::tempdir().unwrap();
    let out = out.path().join("out").display().to_string();
    let output = bert(&[words, &own, &["--output-dir", &out]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    (
        serde_json::from_slice(&output.stdout).unwrap(),
        stderr(&output),
    )
}

fn write(dir: &Path, name: &str, text: &str) -> String {
    let path = dir.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn texts_are_read_from_json_by_the_columns_that_are_named_or_common() {
    let dir = tempfile::tempdir().unwrap();
    let rows = [
        ("a good day", 1),
        ("a bad day", 0),
        ("a good day", 1),
        ("", 0),
    ];
    let lines = rows
        .map(|(text, stars)| format!(r#"{{"body": "{text}", "stars": {stars}, "review": "x"}}"#));
    let train = write(dir.path(), "train.jsonl", &lines.join("\n"));
    let dev = write(
        dir.path(),
        "dev.json",
        &format!("[{}]", lines[..2].join(",")),
    );
    let own = [
        "train-glue",
        "--task",
        "csv",
        "--train-file",
        &train,
        "--eval-file",
        &dev,
    ];
    let (planned, said) = plan(
        &[
            &own[..],
            &["--text-column", "body", "--label-column", "stars"],
        ]
        .concat(),
    );
    assert_eq!(planned["training"]["examples"], 4, "{planned}");
    assert_eq!(planned["settings"]["text_column"], "body");
    for line in [
        "train.jsonl: texts in body, labels in stars",
        "train.jsonl: 1 of 4 rows have no text",
        "train.jsonl: 1 of 4 rows repeat an earlier one",
        "dev.json: 2 of 2 rows are in the training file too",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
    // Of common names the table has review, and no label.
    let own: Vec<&str> = [
        &own[..],
        &[
            "--bert-model",
            "data/demo/bert-small",
            "--from-scratch",
            "--dry-run",
            "--output-dir",
            "/nowhere",
        ],
    ]
    .concat();
    let line = refused(&own);
    assert!(line.contains("train.jsonl: found no labels"), "{line}");
    let line = refused(&[&own[..], &["--label-column", "Label"]].concat());
    assert!(
        line.contains("train.jsonl:1: no column \"Label\": found \"body\""),
        "{line}"
    );
    let line = refused(&[
        "train-glue",
        "--task",
        "rte",
        "--text-column",
        "a",
        "--data-dir",
        "data/demo/glue",
        "--output-dir",
        "/nowhere",
    ]);
    assert!(line.contains("expected --task csv"), "{line}");
}

#[test]
fn flat_questions_are_those_of_the_nested_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut squad = json(&repository().join("data/demo/squad/dev-v1.1.json"));
    squad["data"].as_array_mut().unwrap().truncate(2);
    let mut rows = Vec::new();
    for article in squad["data"].as_array().unwrap() {
        for paragraph in article["paragraphs"].as_array().unwrap() {
            for question in paragraph["qas"].as_array().unwrap() {
                let answers = question["answers"].as_array().unwrap();
                let column =
                    |key: &str| answers.iter().map(|it| it[key].clone()).collect::<Vec<_>>();
                rows.push(serde_json::json!({
                    "id": question["id"], "title": article["title"], "context": paragraph["context"],
                    "question": question["question"],
                    "answers": {"text": column("text"), "answer_start": column("answer_start")},
                }));
            }
        }
    }
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    let flat = write(dir.path(), "flat.jsonl", &lines.join("\n"));
    let field = write(
        dir.path(),
        "field.json",
        &serde_json::json!({"data": rows}).to_string(),
    );
    let nested = write(dir.path(), "nested.json", &squad.to_string());
    let features = |file: &str| {
        let output = bert(&[
            "features-squad",
            "--bert-model",
            "data/demo/bert-small",
            "--max-seq-length",
            "128",
            "--training",
            "--data",
            file,
        ]);
        assert!(output.status.success(), "{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let expected = features(&nested);
    assert!(expected.lines().count() > 10);
    assert_eq!(features(&flat), expected);
    assert_eq!(features(&field), expected);
}

#[test]
fn a_development_set_is_held_out_of_the_training_file() {
    let workspace = Workspace::new();
    let train = workspace.path("data/train.csv").display().to_string();
    let swag = [
        "train-swag",
        "--train-file",
        &train,
        "--validation-split",
        "0.25",
    ];
    let (planned, _) = plan(&swag);
    let count = |planned: &Value, part: &str, unit: &str| planned[part][unit].as_u64().unwrap();
    let whole = plan(&["train-swag", "--train-file", &train]).0;
    let whole = count(&whole, "training", "examples");
    let (kept, held) = (
        count(&planned, "training", "examples"),
        count(&planned, "prediction", &train),
    );
    assert_eq!(kept + held, whole, "{planned}");
    assert!(held > 0 && held < kept);

    let squad = [
        "train-squad",
        "--train-file",
        "data/demo/squad/dev-v1.1.json",
        "--validation-split",
        "0.2",
        "--max-seq-length",
        "128",
    ];
    let (planned, said) = plan(&squad);
    let (kept, held) = (
        count(&planned, "training", "questions"),
        count(&planned, "prediction", "questions"),
    );
    assert!(held * 4 >= kept && held * 2 < kept, "{kept} {held}");
    assert!(!said.contains("in the training file too"), "{said}");

    let rte = [
        "train-glue",
        "--task",
        "rte",
        "--train-file",
        "data/demo/glue/RTE/dev.tsv",
        "--validation-split",
        "0.1",
    ];
    let (planned, _) = plan(&rte);
    let (kept, held) = (
        count(&planned, "training", "examples"),
        count(&planned, "prediction", "data/demo/glue/RTE/dev.tsv"),
    );
    assert_eq!((kept + held, held), (170, 18), "{planned}");

    let refuse = |words: &[&str]| {
        refused(
            &[
                words,
                &[
                    "--bert-model",
                    "data/demo/bert-small",
                    "--from-scratch",
                    "--dry-run",
                    "--no-cuda",
                    "--output-dir",
                    "/nowhere",
                ],
            ]
            .concat(),
        )
    };
    let line = refuse(&[&swag[..], &["--eval-file", &train]].concat());
    assert!(
        line.contains("--validation-split: found a development file beside it"),
        "{line}"
    );
    let line = refuse(&[
        "train-swag",
        "--train-file",
        &train,
        "--validation-split",
        "1",
    ]);
    assert!(
        line.contains("--validation-split: found 1, expected above 0 and below 1"),
        "{line}"
    );
    let line = refuse(&[
        "train-swag",
        "--train-file",
        &train,
        "--validation-split",
        "0.0001",
    ]);
    assert!(
        line.contains("--validation-split: found 0.0001 of"),
        "{line}"
    );
}

#[test]
fn a_table_of_numbers_is_a_regression() {
    let dir = tempfile::tempdir().unwrap();
    let rows = |count: usize| {
        let rows = (0..count as i64).map(|n| format!("{} days,{}\n", n % 7, n % 7 * 10 - 20));
        format!("text,label\n{}", rows.collect::<String>())
    };
    let train = write(dir.path(), "train.csv", &rows(24));
    let dev = write(dir.path(), "dev.csv", &rows(9));
    let out = dir.path().join("out");
    let out = out.to_str().unwrap();
    let own = ["--task", "csv", "--no-cuda", "--max-seq-length", "16"];
    let fixed = [
        "train-glue",
        "--bert-model",
        "data/demo/bert-small",
        "--from-scratch",
        "--max-steps",
        "2",
        "--regression",
        "--output-dir",
        out,
        "--eval-file",
        &dev,
    ];
    let fixed = [&fixed[..], &own].concat();
    let output = bert(&[&fixed[..], &["--train-file", &train]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    let config = json(&Path::new(out).join("config.json"));
    assert_eq!(config["problem_type"], "regression");
    assert_eq!(config["finetuning_task"], "csv");
    let results = json(&Path::new(out).join("eval_results.json"));
    let [loss, rmse] = ["eval_loss", "eval_rmse"].map(|key| results[key].as_f64().unwrap());
    assert!((rmse * rmse - loss).abs() < 1e-9 * loss, "{results}");
    assert!(results["eval_pearson"].is_f64() && results["eval_spearmanr"].is_f64());
    // The checkpoint knows what its output is.
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
    let lines = |out: &str| fs::read_to_string(Path::new(out).join("predictions.jsonl")).unwrap();
    assert_eq!(lines(again), lines(out));
    assert!(
        lines(out).starts_with(r#"{"example_id":"dev-0","label":-20.0,"#),
        "{}",
        lines(out)
    );

    let bad = write(dir.path(), "bad.csv", "text,label\na,1\nb,high\n");
    let more = ["--overwrite-output-dir", "--train-file", &bad];
    let error = refused(&[&fixed[..], &more].concat());
    assert!(
        error.ends_with("bad.csv:3: label: found \"high\", expected a number"),
        "{error}"
    );
    let of_glue = ["train-glue", "--task", "mrpc", "--regression", "--dry-run"];
    let error = refused(&of_glue);
    assert!(
        error.contains("--regression: found the task mrpc"),
        "{error}"
    );
}

#[test]
fn classes_count_as_they_are_weighed() {
    let dir = tempfile::tempdir().unwrap();
    let rows = "text,label\ngood,yes\nfine,yes\nnice,yes\nbad,no\n";
    let train = write(dir.path(), "train.csv", rows);
    let trained = |out: &str, more: &[&str]| {
        let out = dir.path().join(out).display().to_string();
        let fixed = [
            "train-glue",
            "--task",
            "csv",
            "--bert-model",
            "data/demo/bert-small",
            "--from-scratch",
            "--max-steps",
            "1",
            "--train-batch-size",
            "4",
            "--max-seq-length",
            "16",
            "--no-cuda",
            "--train-file",
            &train,
            "--output-dir",
            &out,
        ];
        let output = bert(&[&fixed[..], more].concat());
        let results = Path::new(&out).join("eval_results.json");
        let loss = output
            .status
            .success()
            .then(|| json(&results)["loss"].as_f64().unwrap());
        (loss, stderr(&output))
    };
    let (plain, _) = trained("plain", &[]);
    let (balanced, said) = trained("balanced", &["--class-weights", "balanced"]);
    assert!(
        said.contains("class_weights: no 2.0000, yes 0.6667"),
        "{said}"
    );
    let same = write(
        dir.path(),
        "same.json",
        r#"{"yes": 0.6666666666666666, "no": 2}"#,
    );
    let (of_file, _) = trained("file", &["--class-weights", &same]);
    assert!((balanced.unwrap() - of_file.unwrap()).abs() < 1e-6);
    assert_ne!(balanced, plain);
    let (smoothed, _) = trained("smoothed", &["--label-smoothing", "0.2"]);
    assert_ne!(smoothed, plain);
    // The file is an input of the run.
    let record = fs::read_to_string(dir.path().join("file/run.json")).unwrap();
    assert!(
        record.contains("same.json") && record.contains("sha256"),
        "{record}"
    );

    let odd = write(dir.path(), "odd.json", r#"{"yes": 1, "no": 2, "maybe": 3}"#);
    let zero = write(dir.path(), "zero.json", r#"{"yes": 0, "no": 2}"#);
    let broken = write(dir.path(), "broken.json", r#"{"yes": 1"#);
    for (more, expected) in [
        (
            ["--class-weights", &odd],
            "odd.json: found one for maybe, expected a JSON object",
        ),
        (
            ["--class-weights", &zero],
            "zero.json: found 0 for yes, expected",
        ),
        (
            ["--class-weights", &broken],
            "broken.json: found EOF while parsing",
        ),
        (["--class-weights", "none.json"], "none.json: "),
        (
            ["--label-smoothing", "1"],
            "--label-smoothing: found 1, expected at least 0 and below 1",
        ),
    ] {
        let (loss, said) = trained("refused", &more);
        assert!(loss.is_none() && said.contains(expected), "{said}");
    }
    let (loss, said) = trained("plain", &["--class-weights", "balanced"]);
    assert!(
        loss.is_none() && said.contains("class_weights was null and is 1"),
        "{said}"
    );
    assert!(!dir.path().join("refused").exists());
}

#[test]
fn questions_and_choices_are_read_by_the_columns_that_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let questions = write(
        dir.path(),
        "questions.csv",
        "passage,query,gold.text,gold.answer_start\nThe Une rises in Tal.,Where does it rise?,Tal,17\n\
         The Une rises in Tal.,What rises?,The Une,0\n",
    );
    let columns = [
        "--context-column",
        "passage",
        "--question-column",
        "query",
        "--answers-column",
        "gold",
    ];
    let own = [
        "train-squad",
        "--train-file",
        &questions,
        "--max-seq-length",
        "64",
        "--doc-stride",
        "32",
        "--max-query-length",
        "16",
    ];
    let (planned, _) = plan(&[&own[..], &columns].concat());
    assert_eq!(planned["training"]["questions"], 2, "{planned}");
    assert_eq!(planned["settings"]["question_column"], "query");
    let refuse = |own: &[&str], expected: &str| {
        let fixed = [
            "--bert-model",
            "data/demo/bert-small",
            "--dry-run",
            "--output-dir",
            "/nowhere",
        ];
        let line = refused(&[own, &fixed].concat());
        assert!(line.contains(expected), "{line}");
    };
    refuse(
        &own,
        "questions.csv:1: no column \"context\", \"question\": found \"passage\", \"query\"",
    );

    let choices = write(
        dir.path(),
        "choices.tsv",
        "passage\tA\tB\tC\tright\nIt rained.\tWet.\tDry.\tNo.\t0\nHe ran.\tSlow.\tFast.\tNo.\t1\n",
    );
    let own = ["train-swag", "--train-file", &choices];
    let columns = [
        "--context-column",
        "passage",
        "--ending-columns",
        "A,B,C",
        "--label-column",
        "right",
    ];
    let (planned, _) = plan(&[&own[..], &columns].concat());
    assert_eq!(planned["training"]["examples"], 2, "{planned}");
    assert_eq!(
        planned["settings"]["ending_columns"],
        serde_json::json!(["A", "B", "C"])
    );
    refuse(&own, "choices.tsv:1: no column \"context\"");
    let one = ["--context-column", "passage", "--ending-columns", "A"];
    refuse(
        &[&own[..], &one].concat(),
        "choices.tsv: found 1 columns of endings named, expected 2 to 26",
    );
}
