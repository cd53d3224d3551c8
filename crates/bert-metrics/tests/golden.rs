//! The golden cases of the official evaluations: `tests/golden/squad-v1-metrics` and `squad-v2-metrics`.

use std::{fs, path::Path};

use bert_metrics::squad::{GoldQuestion, evaluate_v1, evaluate_v2};
use serde_json::Value;

fn read(path: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/golden")
        .join(path);
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().expect("a list")
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().expect("a text")
}

fn questions(data: &Value) -> Vec<GoldQuestion<'_>> {
    list(data, "data")
        .iter()
        .flat_map(|article| list(article, "paragraphs"))
        .flat_map(|paragraph| list(paragraph, "qas"))
        .map(|question| GoldQuestion {
            id: text(question, "id"),
            answers: list(question, "answers")
                .iter()
                .map(|answer| text(answer, "text"))
                .collect(),
        })
        .collect()
}

/// The totals in every digit, then each question alone: `evaluate` gives the scores of some questions as JSON.
fn check(case: &str, evaluate: impl Fn(Vec<GoldQuestion<'_>>, &Value) -> Value) {
    let data = read(&format!("{case}/input/data.json"));
    let predictions = read(&format!("{case}/input/predictions.json"));
    let results = read(&format!("{case}/expected/results.json"));
    let per_question = read(&format!("{case}/expected/per-question.json"));

    let questions = questions(&data);
    assert_eq!(evaluate(questions.clone(), &predictions), results);
    assert_eq!(
        per_question.as_object().map(|scores| scores.len()),
        Some(questions.len())
    );
    for question in questions {
        let id = question.id;
        let scores = evaluate(vec![question], &predictions);
        for (key, expected) in per_question[id].as_object().expect("an object") {
            let percentage = 100.0 * expected.as_f64().expect("a number");
            assert_eq!(
                scores[key].as_f64(),
                Some(percentage),
                "{case}: {id}: {key}"
            );
        }
    }
}

#[test]
fn squad_v1() {
    check("squad-v1-metrics", |questions, predictions| {
        let scores = evaluate_v1(questions, |id| predictions[id].as_str());
        serde_json::to_value(scores).expect("scores serialise")
    });
}

#[test]
fn squad_v2() {
    check("squad-v2-metrics", |questions, predictions| {
        let scores = evaluate_v2(questions, |id| predictions[id].as_str());
        serde_json::to_value(scores).expect("scores serialise")
    });
}
