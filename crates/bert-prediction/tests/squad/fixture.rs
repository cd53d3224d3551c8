//! A small dataset with its features, and logits to be set token by token.

use std::path::Path;

use bert_datasets::squad::{SquadDataset, parse};
use bert_features::squad::{SquadFeatureConfig, SquadFeatures, SquadMode};
use bert_prediction::{
    PredictionError,
    squad::{SquadAnswerPrediction, SquadPredictionConfig, WindowLogits, predict},
};
use bert_tokenization::BertTokenizer;
use serde_json::json;

/// WordPieces for the tests' texts; a character that has none makes its word `[UNK]`.
const VOCAB: &str = "[PAD] [UNK] [CLS] [SEP] [MASK] who what a b c d e f g h ##a ##b ##c ##d \
    steve smith ' s , . ( ) - cafe wall ##flower ##s 1 2 500";

pub(crate) struct Fixture {
    pub(crate) dataset: SquadDataset,
    pub(crate) features: SquadFeatures,
    pub(crate) tokenizer: BertTokenizer,
    pub(crate) start: Vec<Vec<f32>>,
    pub(crate) end: Vec<Vec<f32>>,
}

pub(crate) fn tokenizer() -> BertTokenizer {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vocab.txt");
    let lines: String = VOCAB.split_whitespace().flat_map(|t| [t, "\n"]).collect();
    std::fs::write(&path, lines).unwrap();
    BertTokenizer::from_vocab_file(&path, true).unwrap()
}

/// One question, "q0", "q1" and so on, about each context.
pub(crate) fn dataset(contexts: &[&str]) -> SquadDataset {
    let paragraphs: Vec<_> = contexts
        .iter()
        .enumerate()
        .map(|(index, context)| {
            json!({"context": context, "qas": [
                {"id": format!("q{index}"), "question": "who", "answers": [], "is_impossible": true},
            ]})
        })
        .collect();
    let file = json!({"version": "v2.0", "data": [{"title": "t", "paragraphs": paragraphs}]});
    parse(
        Path::new("test.json"),
        file.to_string().as_bytes(),
        &Default::default(),
    )
    .unwrap()
}

impl Fixture {
    /// Windows of at most `room` context tokens, `doc_stride` tokens apart; every logit is 0.
    pub(crate) fn new(contexts: &[&str], room: usize, doc_stride: usize) -> Self {
        let dataset = dataset(contexts);
        let tokenizer = tokenizer();
        let config = SquadFeatureConfig {
            // [CLS] who [SEP] … [SEP]
            max_seq_length: room + 4,
            doc_stride,
            max_query_length: 1,
            ..SquadFeatureConfig::default()
        };
        let features =
            SquadFeatures::convert(&dataset, &tokenizer, &config, SquadMode::Evaluation).unwrap();
        let zeros = |window| vec![0.0; features.len_of(window)];
        let start: Vec<_> = (0..features.windows.len()).map(zeros).collect();
        Self {
            end: start.clone(),
            start,
            dataset,
            features,
            tokenizer,
        }
    }

    /// Sets the logits of a span of a window's context tokens, both ends counted from the window's first.
    pub(crate) fn set(
        &mut self,
        window: usize,
        (first, start_logit): (usize, f32),
        (last, end_logit): (usize, f32),
    ) {
        let offset = self.features.context_offset(window);
        self.start[window][offset + first] = start_logit;
        self.end[window][offset + last] = end_logit;
    }

    pub(crate) fn predict(
        &self,
        config: &SquadPredictionConfig,
    ) -> Result<Vec<SquadAnswerPrediction>, PredictionError> {
        let pairs = self.start.iter().cloned().zip(self.end.iter().cloned());
        let logits: Vec<WindowLogits> = pairs
            .map(|(start, end)| WindowLogits { start, end })
            .collect();
        predict(
            &self.dataset,
            &self.features,
            &self.tokenizer,
            &logits,
            config,
        )
    }

    /// The answer to the first question, with the default settings.
    pub(crate) fn answer(&self) -> SquadAnswerPrediction {
        self.predict(&SquadPredictionConfig::default())
            .unwrap()
            .remove(0)
    }
}

pub(crate) fn texts(prediction: &SquadAnswerPrediction) -> Vec<&str> {
    let entries = prediction.n_best.iter();
    entries.map(|entry| entry.text.as_str()).collect()
}
