//! What is known of a step: some of it at once, its loss after a read from the device.

use bert_model::device_fault;
use burn::tensor::{Tensor, Transaction};

use crate::TrainError;

/// One optimiser step, as it is logged.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct StepRecord {
    /// Counted from 1.
    pub step: usize,
    /// Epochs done after this step.
    pub epoch: f64,
    /// Mean loss of the step's examples.
    pub loss: f32,
    /// The learning rate applied.
    pub learning_rate: f64,
    /// Norm of all gradients before clipping.
    pub gradient_norm: f32,
    /// Examples in the step.
    pub examples: usize,
    /// Rows in the step: an example is one, or one for each of its choices.
    pub sequences: usize,
    /// Tokens that are not padding.
    pub tokens: usize,
    /// Tokens of the padded micro-batches.
    pub padded_tokens: usize,
    /// Seconds for which this process waited for the gradients of others; `None` where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<f64>,
    /// The process that took longest for its own part of the step, where several add up gradients through the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slowest: Option<usize>,
}

/// A step whose loss is still on the device.
pub struct UnreadStep {
    pub(crate) record: StepRecord,
    pub(crate) loss: Tensor<1>,
    pub(crate) norm: Tensor<1>,
}

impl UnreadStep {
    /// Waits for the device and reads this step's loss.
    ///
    /// # Errors
    /// [`TrainError::Device`] when the device fails.
    pub fn read(self) -> Result<f32, TrainError> {
        let loss = self.loss.try_into_scalar();
        let loss = loss.map_err(|error| TrainError::device(format!("{error:?}")))?;
        device_fault::check()?;
        Ok(loss)
    }

    /// Waits for the device and reads several steps in one transaction.
    ///
    /// # Errors
    /// [`TrainError::Device`] when the device fails.
    pub(crate) fn read_all(steps: Vec<Self>) -> Result<Vec<StepRecord>, TrainError> {
        let mut transaction = Transaction::default();
        for step in &steps {
            transaction = transaction
                .register(step.loss.clone())
                .register(step.norm.clone());
        }
        let read = transaction
            .try_execute()
            .map_err(|error| TrainError::device(error.to_string()))?;
        device_fault::check()?;
        let values: Vec<f32> = read
            .into_iter()
            .flat_map(|data| data.iter::<f32>().collect::<Vec<_>>())
            .collect();
        let read = steps.into_iter().zip(values.chunks_exact(2));
        Ok(read
            .map(|(step, pair)| StepRecord {
                loss: pair[0],
                gradient_norm: pair[1],
                ..step.record
            })
            .collect())
    }
}
