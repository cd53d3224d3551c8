//! Why a run cannot begin, go on, or end.

use std::io;
use std::path::{Path, PathBuf};

use bert_backend::{BackendError, DeviceChoice};
use bert_files::FileError;
use bert_inference::InferenceError;
use bert_model::{DeviceError, ModelError};
use bert_records::RecordError;
use bert_report::ReportError;
use bert_tasks::{Family, TaskError};
use bert_tokenization::TokenizationError;
use bert_training::TrainError;

use crate::RunSettings;

/// An error of a run. Settings are in backticks.
#[derive(Debug, thiserror::Error)]
pub enum FinetuneError {
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
    /// The output folder holds what must not be overwritten.
    #[error("`output_dir` {dir}: found {found}, expected {expected}")]
    OutputDir {
        /// The folder.
        dir: PathBuf,
        /// What it holds.
        found: String,
        /// What it may hold.
        expected: String,
    },
    /// None of an unfinished run's saved states can be used.
    #[error(
        "{dir}: found no intact run state of the unfinished run among {damaged}, expected one; `overwrite_output_dir` \
         starts a new run"
    )]
    NoIntactState {
        /// The folder of the run.
        dir: PathBuf,
        /// How many there are.
        damaged: usize,
    },
    /// The record of a finished run lacks its results.
    #[error("{path}: found no results of the finished run, expected them under summary")]
    NoOutcome {
        /// The record.
        path: PathBuf,
    },
    /// The settings in a record are not those of a training of this version.
    #[error(
        "{path}: found settings that this version does not read ({source}), written by version {version}; expected those of a training"
    )]
    OldRecord {
        /// The record.
        path: PathBuf,
        /// The version that wrote it.
        version: String,
        /// What does not fit.
        source: serde_json::Error,
    },
    /// Settings have no JSON form.
    #[error("the settings cannot be written as JSON: {0}")]
    Json(serde_json::Error),
    /// A process would not do the work of the others.
    #[error("{process}: found {found}, expected {expected}")]
    Processes {
        /// The process and its machine.
        process: String,
        /// In what it differs, and what it has.
        found: String,
        /// What the leading process has, and its machine.
        expected: String,
    },
    /// The training needs more memory than there is.
    #[error("training on {device} needs about {needed}, found {found}; {advice}")]
    DoesNotFit {
        /// The device.
        device: DeviceChoice,
        /// How much it needs, and for what.
        needed: String,
        /// How much there is.
        found: String,
        /// Settings that need less.
        advice: String,
    },
    /// The device ran out of memory.
    #[error("out of memory: {reason}; {advice}")]
    OutOfMemory {
        /// What the device says.
        reason: String,
        /// Settings that need less.
        advice: String,
    },
    /// The run was asked to stop, and has saved what it did.
    #[error("{0}")]
    Interrupted(String),
    /// A file or folder cannot be read, written or removed.
    #[error("{path}: {what}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What cannot be done.
        what: &'static str,
        /// The operating system's reason.
        source: io::Error,
    },
    /// A file of results is no JSON object.
    #[error("{path}: {source}")]
    Results {
        /// The file.
        path: PathBuf,
        /// Where and why the parser stopped.
        source: serde_json::Error,
    },
    /// The program cannot listen for the request to stop.
    #[error("signals cannot be listened for: {0}")]
    Signals(io::Error),
    /// The task's inputs or predictions are no good.
    #[error(transparent)]
    Task(#[from] TaskError),
    /// The training failed.
    #[error(transparent)]
    Training(#[from] TrainError),
    /// The device cannot be used.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// A checkpoint cannot be read or written.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A tokenizer cannot be written.
    #[error(transparent)]
    Tokenization(#[from] TokenizationError),
    /// A file cannot be read or written, or a folder is in use.
    #[error(transparent)]
    File(#[from] FileError),
    /// A record, a result or a run state cannot be read or written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A report cannot be read or written.
    #[error(transparent)]
    Report(#[from] ReportError),
}

impl FinetuneError {
    /// An [`OutputDir`](Self::OutputDir) of a run.
    pub(crate) fn output_dir(run: &RunSettings, found: String, expected: String) -> Self {
        Self::OutputDir {
            dir: run.output_dir.clone(),
            found,
            expected,
        }
    }

    /// The error of an evaluation, with advice where the device has not enough memory.
    pub fn of_evaluation<F: Family>(error: TaskError) -> Self {
        Self::from(error).advised(format!("try a smaller `{}`", F::EVALUATION_BATCH))
    }

    /// Adds advice to an error of a device without enough memory.
    pub(crate) fn advised(self, advice: String) -> Self {
        match self {
            Self::Training(TrainError::Device(DeviceError::OutOfMemory(reason)))
            | Self::Task(TaskError::Inference(InferenceError::Device(DeviceError::OutOfMemory(
                reason,
            )))) => Self::OutOfMemory { reason, advice },
            other => other,
        }
    }

    /// What turns an operating system's error at `path` into ours.
    pub(crate) fn io(path: &Path, what: &'static str) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { path, what, source }
    }

    /// Whether an evaluation ended because the program was asked to stop.
    pub(crate) fn is_stop(&self) -> bool {
        matches!(self, Self::Task(error) if error.is_stop())
    }

    /// Whether an evaluation failed because a logit is NaN or infinite.
    pub(crate) fn is_not_finite(&self) -> bool {
        matches!(self, Self::Task(error) if error.is_not_finite())
    }

    /// Whether a training ended in numbers that are none.
    pub(crate) fn is_divergence(&self) -> bool {
        match self {
            Self::Training(error) => error.is_divergence(),
            error => error.is_not_finite(),
        }
    }

    /// Whether a setting or an input is wrong, rather than the machine failed.
    pub fn is_bad_input(&self) -> bool {
        match self {
            Self::Setting { .. }
            | Self::OutputDir { .. }
            | Self::NoIntactState { .. }
            | Self::NoOutcome { .. }
            | Self::OldRecord { .. }
            | Self::Processes { .. }
            | Self::DoesNotFit { .. }
            | Self::Results { .. } => true,
            Self::Task(error) => error.is_bad_input(),
            Self::Training(error) => error.is_bad_input(),
            Self::Backend(error) => error.is_bad_input(),
            Self::Model(error) => error.is_bad_input(),
            Self::Tokenization(error) => error.is_bad_input(),
            Self::File(error) => error.is_bad_input(),
            Self::Record(error) => error.is_bad_input(),
            Self::Report(error) => error.is_bad_input(),
            Self::Interrupted(_)
            | Self::Io { .. }
            | Self::Json(_)
            | Self::OutOfMemory { .. }
            | Self::Signals(_) => false,
        }
    }
}
