//! Why a task's inputs, or its predictions, are no good.

use std::path::PathBuf;

use bert_datasets::DatasetError;
use bert_features::FeatureError;
use bert_files::{FileError, cut, quoted};
use bert_inference::InferenceError;
use bert_model::ModelError;
use bert_prediction::PredictionError;
use bert_records::RecordError;
use bert_report::ReportError;
use bert_tokenization::TokenizationError;

/// An error of a task. Settings are in backticks.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// A file for training or scoring has no labels.
    #[error("{path}: found no {what}, expected {expected}")]
    NoLabels {
        /// The file.
        path: PathBuf,
        /// What is missing: labels, or the column of them.
        what: &'static str,
        /// What they are needed for.
        expected: &'static str,
    },
    /// All rows of a table have one label.
    #[error("{path}: found {label:?} as the only label, expected at least two")]
    OneLabel {
        /// The file.
        path: PathBuf,
        /// The label.
        label: String,
    },
    /// A row has a label that the model does not know.
    #[error("{path}:{line}: label: found {}, expected one of the model's: {}", quoted(.found), cut(&.expected.join(", ")))]
    UnknownLabel {
        /// The file.
        path: PathBuf,
        /// The row's line, counted from 1.
        line: usize,
        /// The label.
        found: String,
        /// The model's labels.
        expected: Vec<String>,
    },
    /// A row has a separator of labels without a label on each side.
    #[error(
        "{path}:{line}: label: found {found:?}, expected labels separated by {separator:?}, or nothing"
    )]
    EmptyLabel {
        /// The file.
        path: PathBuf,
        /// The row's line, counted from 1.
        line: usize,
        /// The row's labels.
        found: String,
        /// What separates labels.
        separator: char,
    },
    /// A row's label is not a number, where numbers are predicted.
    #[error("{path}:{line}: label: found {found:?}, expected a number")]
    NotANumber {
        /// The file.
        path: PathBuf,
        /// The row's line, counted from 1.
        line: usize,
        /// The label.
        found: String,
    },
    /// A checkpoint's outputs are not those of the task.
    #[error("{path}: found {found}, expected {expected}")]
    OtherOutputs {
        /// The checkpoint's configuration.
        path: PathBuf,
        /// What its outputs are.
        found: String,
        /// What the task needs.
        expected: String,
    },
    /// A SQuAD 2.0 file is read as one of v1.1.
    #[error(
        "{path}: found SQuAD 2.0, whose questions may have no answer, expected v1.1; add `version_2_with_negative`"
    )]
    Version2 {
        /// The file.
        path: PathBuf,
    },
    /// A setting is out of its range, or does not fit the others.
    #[error("`{setting}`: found {found}, expected {expected}")]
    Setting {
        /// The setting.
        setting: &'static str,
        /// The value found.
        found: String,
        /// The values accepted.
        expected: String,
    },
    /// A folder does not have the files of a task.
    #[error("{path}: found {found}, expected {expected}")]
    Files {
        /// The folder.
        path: PathBuf,
        /// What is in it, or is not.
        found: String,
        /// What is needed.
        expected: String,
    },
    /// A logit of an example is no number.
    #[error("{path}: example {id}: {source}")]
    Example {
        /// The data file.
        path: PathBuf,
        /// The example.
        id: String,
        /// What is wrong with its logits.
        source: PredictionError,
    },
    /// A data file is bad.
    #[error(transparent)]
    Data(#[from] DatasetError),
    /// The data do not become features.
    #[error(transparent)]
    Features(#[from] FeatureError),
    /// A checkpoint is bad.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A checkpoint's tokenizer is bad.
    #[error(transparent)]
    Tokenization(#[from] TokenizationError),
    /// A checkpoint's parts do not fit each other, the device failed, or the work was stopped.
    #[error(transparent)]
    Inference(#[from] InferenceError),
    /// The model's outputs are no numbers.
    #[error(transparent)]
    Prediction(#[from] PredictionError),
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file of results cannot be written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The predicted examples make no report.
    #[error(transparent)]
    Report(#[from] ReportError),
}

impl TaskError {
    /// Whether the work ended because the watch asked for it.
    pub fn is_stop(&self) -> bool {
        matches!(self, Self::Inference(InferenceError::Stopped { .. }))
    }

    /// Whether a logit is NaN or infinite.
    pub fn is_not_finite(&self) -> bool {
        let (Self::Prediction(error) | Self::Example { source: error, .. }) = self else {
            return false;
        };
        matches!(
            error,
            PredictionError::NonFiniteLogit { .. } | PredictionError::NonFiniteClassLogit { .. }
        )
    }

    /// Whether a setting or an input is wrong, rather than the machine failed.
    pub fn is_bad_input(&self) -> bool {
        match self {
            Self::NoLabels { .. }
            | Self::OneLabel { .. }
            | Self::UnknownLabel { .. }
            | Self::EmptyLabel { .. }
            | Self::NotANumber { .. }
            | Self::OtherOutputs { .. }
            | Self::Version2 { .. }
            | Self::Setting { .. }
            | Self::Files { .. }
            | Self::Data(_)
            | Self::Features(_) => true,
            Self::Tokenization(error) => error.is_bad_input(),
            Self::Model(error) => error.is_bad_input(),
            Self::Inference(error) => error.is_bad_input(),
            Self::Prediction(error) => error.is_bad_input(),
            Self::File(error) => error.is_bad_input(),
            Self::Record(error) => error.is_bad_input(),
            Self::Report(error) => error.is_bad_input(),
            Self::Example { .. } => false,
        }
    }
}
