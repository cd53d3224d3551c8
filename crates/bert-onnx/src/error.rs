//! Why a model has no ONNX file.

use std::path::PathBuf;

use bert_model::ModelError;

/// Why a model cannot be exported, or its file is not the model.
#[derive(Debug, thiserror::Error)]
pub enum OnnxError {
    /// The checkpoint is bad.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The checkpoint does not say which head it has.
    #[error(
        "{path}: architectures: found {}, expected BertForQuestionAnswering, BertForSequenceClassification or BertForMultipleChoice",
        if .found.is_empty() { "none".to_owned() } else { .found.join(", ") }
    )]
    Head {
        /// `config.json`.
        path: PathBuf,
        /// What it has.
        found: Vec<String>,
    },
    /// ONNX Runtime is not there or too old.
    #[error("ONNX Runtime: {0}")]
    Runtime(String),
    /// ONNX Runtime refuses the file, which is a mistake of this crate.
    #[error("ONNX Runtime does not run the file: {0}")]
    Refused(String),
    /// The file gives other logits.
    #[error(
        "the file is not the model: on {rows} random rows its logits differ by {found}, expected at most {limit}"
    )]
    Differs {
        /// Rows compared.
        rows: usize,
        /// The largest difference, or the typical one of quantised models.
        found: f32,
        /// The most that the precision explains.
        limit: f32,
    },
    /// The model's own logits cannot be read.
    #[error("the device failed: {0}")]
    Device(String),
}

impl OnnxError {
    /// Whether the user's input is at fault.
    pub fn is_bad_input(&self) -> bool {
        match self {
            Self::Model(error) => error.is_bad_input(),
            Self::Head { .. } | Self::Runtime(_) => true,
            Self::Refused(_) | Self::Differs { .. } | Self::Device(_) => false,
        }
    }
}
