//! Answers of a trained model.

use std::fs;
use std::path::Path;

use bert_finetune::{Compute, RunSettings, Settings, TaskSettings, train};
use bert_model::Precision;
use bert_tasks::Unwatched;
use bert_tasks::squad::{SquadPrediction, SquadSettings};
use bert_test_support::shared_file;
use serde_json::{Value, json};

use crate::support::{cpu, device, precisions};

const QUESTIONS: usize = 20;

/// The first questions of a file, `count` of them from several contexts.
pub(crate) fn questions(from: &Path, to: &Path, count: usize) {
    let file: Value = serde_json::from_slice(&fs::read(from).unwrap()).unwrap();
    let paragraphs = file["data"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|article| article["paragraphs"].as_array().unwrap());
    let few = paragraphs.take(count / 2).map(|paragraph| {
        let qas: Vec<&Value> = paragraph["qas"]
            .as_array()
            .unwrap()
            .iter()
            .take(2)
            .collect();
        json!({"context": paragraph["context"], "qas": qas})
    });
    let paragraphs: Vec<Value> = few.collect();
    let dataset = json!({"version": "1.1", "data": [{"title": "few", "paragraphs": paragraphs}]});
    fs::write(to, dataset.to_string()).unwrap();
}

fn read(dir: &Path, file: &str) -> Value {
    serde_json::from_slice(&fs::read(dir.join(file)).unwrap()).unwrap()
}

#[test]
fn a_trained_model_gives_the_cpu_s_answers() {
    let Some(model) = shared_file("models/minilm-l6-squad") else {
        return;
    };
    let Some(dev) = shared_file("data/squad/dev-v1.1.json") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("few.json");
    questions(&dev, &file, QUESTIONS);
    let predict = |name: &str, device, precision| {
        let out = dir.path().join(name);
        let task = SquadSettings {
            columns: Default::default(),
            train_file: None,
            predict_file: Some(file.clone()),
            features: bert_features::squad::SquadFeatureConfig {
                max_seq_length: 256,
                ..Default::default()
            },
            prediction: SquadPrediction::default(),
        };
        let compute = Compute::new(device, precision).unwrap();
        let mut run = RunSettings::new(&model, &out, compute);
        run.trains = false;
        let task = TaskSettings::TrainSquad(task);
        train(&Settings { run, task }, &Unwatched).unwrap_or_else(|error| panic!("{error}"));
        (
            read(&out, "predictions.json"),
            read(&out, "nbest_predictions.json"),
        )
    };
    let (expected, expected_lists) = predict("cpu", cpu(), None);
    assert_eq!(expected.as_object().unwrap().len(), QUESTIONS);
    for (precision, _) in precisions() {
        let (found, lists) = predict(&precision.to_string(), device(), Some(precision));
        let best = |lists: &Value, id: &str, key: &str| lists[id][0][key].as_f64().unwrap();
        let ids = expected.as_object().unwrap().keys();
        let off = |key: &'static str| {
            let lists = &lists;
            let expected_lists = &expected_lists;
            ids.clone()
                .map(move |id| (best(lists, id, key) - best(expected_lists, id, key)).abs())
                .fold(0.0, f64::max)
        };
        let largest = off("start_logit").max(off("end_logit"));
        let others = ids
            .clone()
            .filter(|id| found[id.as_str()] != expected[id.as_str()]);
        let others: Vec<&String> = others.collect();
        println!(
            "{precision}: logits within {largest:.1e}, {} other texts",
            others.len()
        );
        let (allowed, other_texts) = match precision {
            Precision::Fp32 => (1e-3, 0),
            Precision::Tf32 => (3e-2, 0),
            // Two answers may change places.
            Precision::Bf16 => (5e-1, 1),
        };
        assert!(others.len() <= other_texts, "{precision}: {others:?}");
        assert!(largest <= allowed, "{precision}: {largest}");
    }
}
