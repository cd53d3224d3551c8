//! The reference figures of SQuAD, on files that are not part of the repository: `../shared`, beside it.
//! Where that folder is missing, the tests say so and pass.

#![allow(clippy::unwrap_used, reason = "a test ends by panicking")]

use std::path::{Path, PathBuf};

use bert_datasets::squad::{self, SquadDataset};
use bert_features::squad::{SquadFeatureConfig, SquadFeatures, SquadMode};
use bert_metrics::squad::{GoldQuestion, evaluate_v1};
use bert_tokenization::BertTokenizer;

/// The shared files, where they are beside the repository.
fn shared() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    if path.join("data/squad").is_dir() && path.join("models").is_dir() {
        return Some(path);
    }
    eprintln!(
        "skipped: {} has no data/squad and models; the reference files are not part of the repository",
        path.display()
    );
    None
}

fn dataset(path: &Path) -> SquadDataset {
    squad::read(path).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_reference_predictions_get_the_official_scores() {
    let Some(shared) = shared() else { return };
    let dataset = dataset(&shared.join("data/squad/dev-v1.1.json"));
    let path = shared.join("models/minilm-l6-squad/dev-predictions.json");
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
    let Some(shared) = shared() else { return };
    let dataset = dataset(&shared.join("data/squad/train-v1.1.json"));
    let tokenizer = BertTokenizer::from_dir(&shared.join("models/minilm-l6"), None)
        .unwrap_or_else(|error| panic!("{error}"));
    let config = SquadFeatureConfig {
        max_seq_length: 128,
        doc_stride: 64,
        max_query_length: 64,
    };
    let features = SquadFeatures::convert(&dataset, &tokenizer, &config, SquadMode::Training)
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(features.windows.len(), 8033);
}
