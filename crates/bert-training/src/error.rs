//! What can end a training run early.

/// An error of the training crate.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// There is nothing to train on.
    #[error("found no training examples, expected at least one")]
    NoExamples,
    /// A setting is out of its range.
    #[error("{setting}: found {found}, expected {expected}")]
    Setting {
        /// The command-line name of the setting.
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
    /// The loss became NaN or infinite.
    #[error(
        "the loss is {loss} at step {step} of {total_steps}, learning rate {learning_rate:e}; try a lower --learning-rate or a longer --warmup-proportion"
    )]
    NotFinite {
        /// The loss.
        loss: f32,
        /// The optimiser step, counted from 1.
        step: usize,
        /// Steps of the whole run.
        total_steps: usize,
        /// The learning rate of that step.
        learning_rate: f64,
    },
    /// The gradient became NaN or infinite, and with it the weights.
    #[error(
        "the gradient's norm is {norm} at step {step} of {total_steps}, learning rate {learning_rate:e}; try a lower --learning-rate or a longer --warmup-proportion"
    )]
    GradientNotFinite {
        /// Its norm.
        norm: f32,
        /// The optimiser step, counted from 1.
        step: usize,
        /// Steps of the whole run.
        total_steps: usize,
        /// The learning rate of that step.
        learning_rate: f64,
    },
    /// The device stopped working.
    #[error("the device failed: {0}")]
    Device(String),
}
