//! What can go wrong between a checkpoint folder and a model.

use std::path::PathBuf;

/// An error of the model crate; each variant carries the place and the value.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A file could not be read.
    #[error("{path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// `config.json` is not valid JSON or lacks a key.
    #[error("{path}: not a BERT configuration: {source}")]
    ConfigSyntax {
        /// The file.
        path: PathBuf,
        /// Where and why the parser stopped.
        source: serde_json::Error,
    },
    /// A configuration value is out of its range.
    #[error("{path}: {key}: found {found}, expected {expected}")]
    ConfigValue {
        /// The file.
        path: PathBuf,
        /// The key in `config.json`.
        key: &'static str,
        /// The value found.
        found: String,
        /// The values accepted.
        expected: &'static str,
    },
    /// The folder holds no weights.
    #[error("{path}: found neither model.safetensors nor pytorch_model.bin, expected one of them")]
    NoWeights {
        /// The checkpoint folder.
        path: PathBuf,
    },
    /// A weight file is damaged or of an unknown format.
    #[error("{path}: {reason}")]
    WeightFile {
        /// The file.
        path: PathBuf,
        /// What the reader found.
        reason: String,
    },
    /// A tensor has a data type that holds no weights.
    #[error("{path}: tensor {name}: found data type {found}, expected F64, F32, F16 or BF16")]
    DataType {
        /// The file.
        path: PathBuf,
        /// The tensor's name in the file.
        name: String,
        /// The data type found.
        found: String,
    },
    /// Two tensors of the file stand for one parameter.
    #[error("{path}: tensors {first} and {second} both stand for {name}, expected one")]
    Ambiguous {
        /// The file.
        path: PathBuf,
        /// The parameter.
        name: String,
        /// The first tensor's name in the file.
        first: String,
        /// The second tensor's name in the file.
        second: String,
    },
    /// A tensor's shape is not what `config.json` asks for.
    #[error("{path}: tensor {name}: found shape {found:?}, expected {expected:?}")]
    Shape {
        /// The file.
        path: PathBuf,
        /// The tensor's name in the file.
        name: String,
        /// The shape in the file.
        found: Vec<usize>,
        /// The shape that the configuration asks for.
        expected: Vec<usize>,
    },
    /// A tensor holds a NaN or an infinity.
    #[error("{path}: tensor {name}: found {found} at element {index}, expected finite numbers")]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// The tensor's name in the file.
        name: String,
        /// The value found.
        found: f32,
        /// Its flat index.
        index: usize,
    },
    /// Tensors that the model needs are not in the file.
    #[error("{path}: {} of the model's tensors are missing: {}", .names.len(), list(.names))]
    Missing {
        /// The file.
        path: PathBuf,
        /// Every missing tensor.
        names: Vec<String>,
    },
    /// The file has layers that the configuration does not count, which would be left out without a word.
    #[error(
        "{path}: found {found} layers of the encoder, expected {expected}, the num_hidden_layers of config.json"
    )]
    ExtraLayers {
        /// The file.
        path: PathBuf,
        /// Layers of the file.
        found: usize,
        /// Layers of the configuration.
        expected: usize,
    },
    /// A prediction was asked of a checkpoint whose task head was never trained.
    #[error("{path}: the checkpoint has no trained head ({}), expected one fine-tuned for this task", list(.names))]
    UntrainedHead {
        /// The file.
        path: PathBuf,
        /// The head's missing tensors.
        names: Vec<String>,
    },
    /// A prediction was asked of another task's head.
    #[error(
        "{path}: architectures: found {found:?}, expected {expected:?}, a checkpoint fine-tuned for this task"
    )]
    ForeignHead {
        /// The checkpoint's `config.json`.
        path: PathBuf,
        /// What it names.
        found: String,
        /// The architecture of this task.
        expected: &'static str,
    },
    /// A parameter could not be read from the device.
    #[error("the device failed: tensor {name}: {reason}")]
    Device {
        /// The parameter.
        name: String,
        /// What the backend says.
        reason: String,
    },
    /// The checkpoint could not be written.
    #[error("{path}: cannot be written: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
}

fn list(names: &[String]) -> String {
    names.join(", ")
}
