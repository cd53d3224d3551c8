//! What can go wrong between a checkpoint folder and a model.

use std::path::PathBuf;

use bert_files::{FileError, JsonFault, cut, quoted};
use bert_kernels::DeviceError;

/// An error of the model crate; each variant carries the place and the value.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// `config.json` is not valid JSON or lacks a key.
    #[error("{path}: not a BERT configuration: {source}")]
    ConfigSyntax {
        /// The file.
        path: PathBuf,
        /// Where and why the parser stopped.
        source: JsonFault,
    },
    /// A configuration value is out of its range.
    #[error("{path}: {key}: found {}, expected {expected}", cut(found))]
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
    #[error(
        "{path}: found neither model.safetensors nor pytorch_model.bin, expected one of them, or the index of several files"
    )]
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
    #[error(
        "{path}: tensor {}: found data type {found}, expected F64, F32, F16 or BF16",
        cut(name)
    )]
    DataType {
        /// The file.
        path: PathBuf,
        /// The tensor's name in the file.
        name: String,
        /// The data type found.
        found: String,
    },
    /// Two tensors of the file stand for one parameter.
    #[error(
        "{path}: tensors {} and {} both stand for {name}, expected one",
        cut(first),
        cut(second)
    )]
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
    #[error(
        "{path}: tensor {}: found shape {found:?}, expected {expected:?}",
        cut(name)
    )]
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
    #[error(
        "{path}: tensor {}: found {found} at element {index}, expected finite numbers",
        cut(name)
    )]
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
    /// A tensor that the files lack would be larger than all that they hold.
    #[error(
        "{path}: found no tensor {name}, which config.json says has shape {shape:?}, expected at most the {most} values of all tensors"
    )]
    TooLargeToDraw {
        /// The file.
        path: PathBuf,
        /// The parameter.
        name: String,
        /// The shape that the configuration asks for.
        shape: Vec<usize>,
        /// The most values that are drawn.
        most: usize,
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
        "{path}: architectures: found {}, expected {expected:?}, a checkpoint fine-tuned for this task",
        quoted(found)
    )]
    ForeignHead {
        /// The checkpoint's `config.json`.
        path: PathBuf,
        /// What it names.
        found: String,
        /// The architecture of this task.
        expected: &'static str,
    },
    /// The device failed.
    #[error(transparent)]
    Fault(#[from] DeviceError),
    /// A parameter could not be read from the device.
    #[error("the device failed: tensor {name}: {reason}")]
    Device {
        /// The parameter.
        name: String,
        /// What the backend says.
        reason: String,
    },
    /// A tensor is larger than a buffer of the device may be.
    #[error(
        "found {what} of {:.1} MiB, expected at most {:.1} MiB, which is the largest buffer of the device; {advice}",
        mib(*.bytes), mib(*.allowed)
    )]
    BufferTooLarge {
        /// The tensor.
        what: String,
        /// Its bytes.
        bytes: u64,
        /// The most bytes of a buffer.
        allowed: u64,
        /// What fits.
        advice: String,
    },
}

impl ModelError {
    /// Whether a file or a choice of the user is at fault, as against the machine that cannot compute or write.
    #[must_use]
    pub fn is_bad_input(&self) -> bool {
        match self {
            Self::File(error) => error.is_bad_input(),
            Self::Device { .. } | Self::Fault(_) => false,
            _ => true,
        }
    }
}

fn list(names: &[String]) -> String {
    names.join(", ")
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
