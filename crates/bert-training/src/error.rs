//! What can end a training run early.

use std::path::{Path, PathBuf};

use bert_collective::CollectiveError;
use bert_model::{DeviceError, ModelError};
use bert_records::RecordError;

use crate::StepRecord;

/// An error of the training crate. Settings are in backticks.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// There is nothing to train on.
    #[error("found no training examples, expected at least one")]
    NoExamples,
    /// A setting is out of its range.
    #[error("`{setting}`: found {found}, expected {expected}")]
    Setting {
        /// The setting's name.
        setting: &'static str,
        /// The value found.
        found: String,
        /// The values accepted.
        expected: String,
    },
    /// Parameters that the loss does not depend on would silently stay as they were.
    #[error("no gradient reached {} of the model's tensors in the first step: {}", .names.len(), .names.join(", "))]
    NoGradient {
        /// Their names.
        names: Vec<String>,
    },
    /// The loss or the gradient became NaN or infinite, and with them the weights.
    #[error(
        "the loss is {loss} and the gradient's norm {gradient_norm} at step {step} of {total_steps}, learning rate \
         {learning_rate:e}; {}; {}; try a lower `learning_rate` or a longer `warmup_proportion`",
        before(.recent), last_finite(.state.as_deref())
    )]
    NotFinite {
        /// The loss.
        loss: f32,
        /// The norm of all gradients.
        gradient_norm: f32,
        /// The optimiser step, counted from 1.
        step: usize,
        /// Steps of the whole run.
        total_steps: usize,
        /// The learning rate of that step.
        learning_rate: f64,
        /// The steps before it, oldest first.
        recent: Vec<StepRecord>,
        /// The newest run state, whose weights are finite.
        state: Option<PathBuf>,
    },
    /// A weight became NaN or infinite in an update whose loss and gradient were finite.
    #[error(
        "tensor {name} holds {found} after step {step} of {total_steps}; {}; {}; try a lower `learning_rate` or a \
         longer `warmup_proportion`",
        before(.recent), last_finite(.state.as_deref())
    )]
    WeightNotFinite {
        /// The tensor.
        name: String,
        /// The value found.
        found: f32,
        /// Optimiser steps done.
        step: usize,
        /// Steps of the whole run.
        total_steps: usize,
        /// The last steps, oldest first.
        recent: Vec<StepRecord>,
        /// The newest run state, whose weights are finite.
        state: Option<PathBuf>,
    },
    /// The model's outputs are no longer numbers, although its weights, losses and gradients were.
    #[error(
        "the model after step {step} of {total_steps} cannot be evaluated: {reason}; {}; {}; try a lower \
         `learning_rate` or a longer `warmup_proportion`",
        before(.recent), last_finite(.state.as_deref())
    )]
    OutputNotFinite {
        /// What the evaluation says.
        reason: String,
        /// Optimiser steps done.
        step: usize,
        /// Steps of the whole run.
        total_steps: usize,
        /// The last steps, oldest first.
        recent: Vec<StepRecord>,
        /// The newest run state, whose weights are finite.
        state: Option<PathBuf>,
    },
    /// A run state could not be written, which ends the run: later ones could not either.
    #[error("{source}; {}", last_good(.newest.as_deref()))]
    NotSaved {
        /// Why.
        source: Box<TrainError>,
        /// The newest run state that is whole.
        newest: Option<PathBuf>,
    },
    /// A folder of run states, or one of them, is not as it should be.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A run state's weights or moments cannot be read or written.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A file of a run state cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// A thread cannot be started.
    #[error("a thread cannot be started: {0}")]
    Thread(std::io::Error),
    /// A file of a run state cannot be written.
    #[error("{path}: cannot be written: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// `trainer_state.json` is not the state of a run.
    #[error("{path}: not the state of a run: {source}")]
    State {
        /// The file.
        path: PathBuf,
        /// Where and why the parser stopped.
        source: serde_json::Error,
    },
    /// A run state is intact, but another run's or another model's.
    #[error("{path}: found {found}, expected {expected}")]
    OtherRun {
        /// The file.
        path: PathBuf,
        /// What it holds.
        found: String,
        /// What this run would have written.
        expected: String,
    },
    /// The leading process of several ended, and why.
    #[error("the leading process ended: {0}")]
    Led(String),
    /// The other processes cannot be reached.
    #[error(transparent)]
    Collective(#[from] CollectiveError),
    /// The device failed.
    #[error(transparent)]
    Device(#[from] DeviceError),
}

impl TrainError {
    /// Whether a setting or an input is wrong, rather than the machine or the training failed.
    pub fn is_bad_input(&self) -> bool {
        match self {
            Self::NoExamples
            | Self::Setting { .. }
            | Self::Read { .. }
            | Self::State { .. }
            | Self::OtherRun { .. } => true,
            Self::Model(error) => error.is_bad_input(),
            Self::Record(error) => error.is_bad_input(),
            _ => false,
        }
    }

    /// Whether the operating system failed to read a file, which says nothing of the file's contents.
    pub fn is_failed_read(&self) -> bool {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(self);
        while let Some(error) = cause {
            if error.is::<std::io::Error>() {
                return true;
            }
            cause = error.source();
        }
        false
    }

    /// Whether the training ended in numbers that are none.
    pub fn is_divergence(&self) -> bool {
        matches!(
            self,
            Self::NotFinite { .. } | Self::WeightNotFinite { .. } | Self::OutputNotFinite { .. }
        )
    }

    /// A failure of the device, by its own words.
    pub(crate) fn device(reason: impl Into<String>) -> Self {
        Self::Device(DeviceError::from_reason(reason))
    }

    /// Whether the device has not enough memory.
    pub fn is_out_of_memory(&self) -> bool {
        matches!(self, Self::Device(DeviceError::OutOfMemory(_)))
    }
}

fn before(recent: &[StepRecord]) -> String {
    if recent.is_empty() {
        return "no step before it".to_owned();
    }
    let steps: Vec<String> = recent
        .iter()
        .map(|step| {
            format!(
                "{}: {:.4} and {:.4}",
                step.step, step.loss, step.gradient_norm
            )
        })
        .collect();
    format!(
        "loss and gradient norm of the last steps before it: {}",
        steps.join(", ")
    )
}

fn last_finite(state: Option<&Path>) -> String {
    match state {
        Some(path) => format!(
            "the last run state, whose weights are finite, is {}",
            path.display()
        ),
        None => "no run state is saved".to_owned(),
    }
}

fn last_good(state: Option<&Path>) -> String {
    match state {
        Some(path) => format!("the last good run state is {}", path.display()),
        None => "no run state is saved".to_owned(),
    }
}
