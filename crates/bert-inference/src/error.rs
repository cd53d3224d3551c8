//! What can go wrong.

use std::path::PathBuf;

use bert_features::FeatureError;
use bert_model::ModelError;
use bert_prediction::PredictionError;
use bert_tokenization::TokenizationError;
use bert_training::TrainError;

/// Why a checkpoint cannot be asked, or has no answer.
#[derive(Debug, thiserror::Error)]
pub enum InferenceError {
    /// The tokenizer knows more tokens than the model.
    #[error(
        "{dir}: found a vocabulary of {found} tokens, expected at most config.json's vocab_size {expected}"
    )]
    Vocabulary {
        /// The checkpoint.
        dir: PathBuf,
        /// Tokens of the vocabulary.
        found: usize,
        /// Rows of the model's table.
        expected: usize,
    },
    /// The model knows one segment only.
    #[error(
        "{dir}: found type_vocab_size {found} in config.json, expected at least 2: a pair of texts is two segments"
    )]
    Segments {
        /// The checkpoint.
        dir: PathBuf,
        /// Segments that the model knows.
        found: usize,
    },
    /// The passage is longer than the caller allows.
    #[error(
        "found a passage of {found} windows with this question, expected at most {limit}; ask about a part of it"
    )]
    TooLong {
        /// Windows of the passage.
        found: usize,
        /// The most that are allowed.
        limit: usize,
    },
    /// The checkpoint is bad.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The checkpoint's tokenizer is bad.
    #[error(transparent)]
    Tokenization(#[from] TokenizationError),
    /// A text does not become features.
    #[error(transparent)]
    Features(#[from] FeatureError),
    /// The model's outputs are no numbers.
    #[error(transparent)]
    Prediction(#[from] PredictionError),
    /// The device failed, or the work was stopped.
    #[error(transparent)]
    Run(#[from] TrainError),
}
