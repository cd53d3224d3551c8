//! Why a checkpoint cannot be asked.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use bert_collective::CollectiveError;
use bert_features::FeatureError;
use bert_model::{DeviceError, ModelError};
use bert_prediction::PredictionError;
use bert_tokenization::TokenizationError;

/// Why a checkpoint cannot be asked, or has no answer.
#[derive(Debug, thiserror::Error)]
pub enum InferenceError {
    /// A setting is out of its range.
    #[error("{setting}: found {found}, expected at least 1")]
    Setting {
        /// The setting's name.
        setting: &'static str,
        /// The value found.
        found: usize,
    },
    /// A thread cannot be started.
    #[error("a thread cannot be started: {0}")]
    Thread(std::io::Error),
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
    /// The number of endings is no choice.
    #[error(
        "beginning {beginning}: found {found} endings, expected {} to {}",
        .expected.start(), .expected.end()
    )]
    Endings {
        /// Which of the beginnings, from 0.
        beginning: usize,
        /// Its endings.
        found: usize,
        /// How many there may be.
        expected: RangeInclusive<usize>,
    },
    /// The caller stopped the work.
    #[error("stopped after {done} of {of} predictions")]
    Stopped {
        /// Windows or examples done.
        done: usize,
        /// Windows or examples in all.
        of: usize,
    },
    /// Another process could not do its part.
    #[error("process {rank}: {reason}")]
    Elsewhere {
        /// The process.
        rank: usize,
        /// What it says.
        reason: String,
    },
    /// The other processes cannot be reached.
    #[error(transparent)]
    Collective(#[from] CollectiveError),
    /// The device failed.
    #[error(transparent)]
    Device(#[from] DeviceError),
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
}

impl InferenceError {
    /// Whether a setting or an input is wrong, rather than the device failed.
    pub fn is_bad_input(&self) -> bool {
        match self {
            Self::Setting { .. }
            | Self::Endings { .. }
            | Self::Vocabulary { .. }
            | Self::Segments { .. }
            | Self::TooLong { .. }
            | Self::Features(_) => true,
            Self::Tokenization(error) => error.is_bad_input(),
            Self::Model(error) => error.is_bad_input(),
            Self::Prediction(error) => error.is_bad_input(),
            Self::Stopped { .. }
            | Self::Elsewhere { .. }
            | Self::Collective(_)
            | Self::Thread(_)
            | Self::Device(_) => false,
        }
    }
}
