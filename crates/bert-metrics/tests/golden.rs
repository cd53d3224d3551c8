//! The golden cases: `squad-v1-metrics` and `squad-v2-metrics` of the official evaluations, `classification-metrics` of
//! scikit-learn and `correlation-metrics` of SciPy.

use std::{fs, path::Path};

use bert_metrics::classification::{
    ConfusionMatrix, accuracy, binary_f1, macro_f1, majority_share, matthews_correlation,
    mean_cross_entropy, mean_squared_error, predicted_classes,
};
use bert_metrics::correlation::{pearson, spearman};
use bert_metrics::squad::{GoldQuestion, evaluate_v1, evaluate_v2, evaluate_v2_with_odds};
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

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn numbers(value: &Value, key: &str) -> Vec<f64> {
    list(value, key).iter().map(number).collect()
}

fn index(value: &Value) -> usize {
    let index = value.as_u64().expect("an index");
    usize::try_from(index).expect("an index of this machine")
}

fn indices(value: &Value, key: &str) -> Vec<usize> {
    list(value, key).iter().map(index).collect()
}

/// The cases of an input file, each with what is expected of it.
fn cases(input: &str, expected: &str) -> Vec<(Value, Value)> {
    let (Value::Array(input), Value::Array(expected)) = (read(input), read(expected)) else {
        panic!("{input} and {expected}: expected two lists");
    };
    assert!(!input.is_empty());
    assert_eq!(input.len(), expected.len());
    let cases: Vec<_> = input.into_iter().zip(expected).collect();
    for (case, expected) in &cases {
        assert_eq!(text(case, "name"), text(expected, "name"));
    }
    cases
}

/// Equal within 1e-12, relative for values over 1; a value that is not defined is `null`.
fn assert_close(found: Option<f64>, expected: &Value, key: &str) {
    let name = text(expected, "name");
    let expected = expected[key].as_f64();
    let close = match (found, expected) {
        (Some(found), Some(expected)) => {
            (found - expected).abs() <= 1e-12 * expected.abs().max(1.0)
        }
        (found, expected) => found == expected,
    };
    assert!(
        close,
        "{name}: {key}: found {found:?}, expected {expected:?}"
    );
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
fn squad_v2_thresholds() {
    let (data, predictions) = (
        read("squad-v2-metrics/input/data.json"),
        read("squad-v2-metrics/input/predictions.json"),
    );
    let odds = read("squad-v2-metrics/input/null_odds.json");
    let odds: Vec<(String, f64)> = list(&odds, "odds")
        .iter()
        .map(|pair| (text(pair, "id").to_owned(), number(&pair["odds"])))
        .collect();
    assert!(odds.len() > 20);
    let expected = read("squad-v2-metrics/expected/thresholds.json");
    for (threshold, key) in [(1.0, "at_1"), (-0.5, "at_-0.5")] {
        let predicted = |id: &str| predictions[id].as_str();
        let (scores, best) = evaluate_v2_with_odds(questions(&data), predicted, &odds, threshold);
        let expected = &expected[key];
        let mut found = serde_json::to_value(&scores).expect("scores serialise");
        let best = serde_json::to_value(best).expect("thresholds serialise");
        let (Some(found), Some(best)) = (found.as_object_mut(), best.as_object()) else {
            panic!("scores are objects");
        };
        found.extend(best.clone());
        let expected = expected.as_object().expect("an object");
        assert_eq!(found.len(), expected.len());
        for (name, expected) in expected {
            let (found, expected) = (number(&found[name]), number(expected));
            assert!(
                (found - expected).abs() < 1e-9,
                "{key} {name}: {found} {expected}"
            );
        }
    }
}

#[test]
fn squad_v2() {
    check("squad-v2-metrics", |questions, predictions| {
        let scores = evaluate_v2(questions, |id| predictions[id].as_str());
        serde_json::to_value(scores).expect("scores serialise")
    });
}

#[test]
fn classification() {
    for (case, expected) in cases(
        "classification-metrics/input/cases.json",
        "classification-metrics/expected/scores.json",
    ) {
        let classes = index(&case["classes"]);
        let labels = indices(&case, "labels");
        let predictions = indices(&case, "predictions");
        for (key, found) in [
            ("accuracy", accuracy(&labels, &predictions)),
            ("binary_f1", binary_f1(&labels, &predictions)),
            ("macro_f1", macro_f1(&labels, &predictions, classes)),
            (
                "matthews_correlation",
                matthews_correlation(&labels, &predictions),
            ),
            ("majority_share", majority_share(&labels)),
        ] {
            assert_close(Some(found), &expected, key);
        }
        let counts: Vec<Vec<usize>> = list(&expected, "confusion_matrix")
            .iter()
            .map(|row| row.as_array().expect("a row").iter().map(index).collect())
            .collect();
        let matrix = ConfusionMatrix::new(&labels, &predictions, classes);
        assert_eq!(matrix.counts, counts, "{}", text(&case, "name"));
        assert_eq!(
            predicted_classes(&predictions),
            index(&expected["predicted_classes"]),
            "{}",
            text(&case, "name")
        );
    }
}

#[test]
fn cross_entropy() {
    for (case, expected) in cases(
        "classification-metrics/input/logits.json",
        "classification-metrics/expected/cross-entropies.json",
    ) {
        let logits: Vec<Vec<f32>> = list(&case, "logits")
            .iter()
            .map(|row| row.as_array().expect("a row"))
            .map(|row| row.iter().map(|logit| number(logit) as f32).collect())
            .collect();
        let loss = mean_cross_entropy(&logits, &indices(&case, "labels"));
        assert_close(Some(loss), &expected, "mean_cross_entropy");
    }
}

#[test]
fn correlation() {
    for (case, expected) in cases(
        "correlation-metrics/input/cases.json",
        "correlation-metrics/expected/statistics.json",
    ) {
        let (x, y) = (numbers(&case, "x"), numbers(&case, "y"));
        assert_close(pearson(&x, &y), &expected, "pearson");
        assert_close(spearman(&x, &y), &expected, "spearman");
        let error = (!x.is_empty()).then(|| mean_squared_error(&x, &y));
        assert_close(error, &expected, "mean_squared_error");
    }
}
