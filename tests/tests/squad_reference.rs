//! The reference figures of SQuAD, on files that are not part of the repository: `../shared`, beside it.
//! Where that folder is missing, the tests are skipped.

#![allow(clippy::unwrap_used, reason = "a test ends by panicking")]

use std::path::Path;

use bert_datasets::squad::{self, SquadDataset};
use bert_features::squad::{SquadFeatureConfig, SquadFeatures, SquadMode};
use bert_metrics::squad::{GoldQuestion, evaluate_v1};
use bert_test_support::shared_file;
use bert_tokenization::BertTokenizer;

fn dataset(path: &Path) -> SquadDataset {
    squad::read(path, &squad::QuestionColumns::default()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_reference_predictions_get_the_official_scores() {
    let (Some(data), Some(path)) = (
        shared_file("data/squad/dev-v1.1.json"),
        shared_file("models/minilm-l6-squad/dev-predictions.json"),
    ) else {
        return;
    };
    let dataset = dataset(&data);
    let predictions = squad::read_predictions(&path).unwrap_or_else(|error| panic!("{error}"));
    let gold = dataset.questions.iter().map(|question| GoldQuestion {
        id: &question.id,
        answers: question
            .answers
            .iter()
            .map(|answer| answer.text.as_str())
            .collect(),
    });
    let scores = evaluate_v1(gold, |id| predictions.get(id).map(String::as_str));
    assert_eq!(scores.missing, Vec::<String>::new());
    // Every digit of the official script's output.
    assert_eq!(
        (scores.exact_match, scores.f1),
        (58.517555266579976, 69.27631210160801)
    );
}

#[test]
fn the_training_file_has_the_reference_number_of_windows() {
    let (Some(data), Some(model)) = (
        shared_file("data/squad/train-v1.1.json"),
        shared_file("models/minilm-l6"),
    ) else {
        return;
    };
    let dataset = dataset(&data);
    let tokenizer = BertTokenizer::from_dir(&model, None).unwrap_or_else(|error| panic!("{error}"));
    let config = SquadFeatureConfig {
        max_seq_length: 128,
        doc_stride: 64,
        max_query_length: 64,
        ..SquadFeatureConfig::default()
    };
    let features = SquadFeatures::convert(&dataset, &tokenizer, &config, SquadMode::Training)
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(features.windows.len(), 8033);
}
