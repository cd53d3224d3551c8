//! How models are run.

use bert_features::batch::Padding;
use bert_model::Precision;

use crate::InferenceError;

/// How a model is run over examples.
#[derive(Debug, Clone, Copy)]
pub struct InferenceConfig {
    /// Windows, texts, or examples of several choices in a batch, at least 1.
    pub batch_size: usize,
    /// How wide a batch is made.
    pub padding: Padding,
    /// The arithmetic of products.
    pub precision: Precision,
    /// Batches that are computed at once, at least 1. On a processor as many as it has threads: each batch then goes
    /// through the whole model without waiting for the others after every operation. On another device 1.
    pub concurrent: usize,
    /// The most bytes that one tensor may have on the device: a batch is smaller where its tensors would have more.
    /// `None` where only memory limits them.
    pub largest_buffer: Option<u64>,
}

impl Default for InferenceConfig {
    /// For a processor.
    fn default() -> Self {
        Self {
            batch_size: 8,
            padding: Padding::Longest { multiple_of: 8 },
            precision: Precision::Fp32,
            concurrent: std::thread::available_parallelism().map_or(1, usize::from),
            largest_buffer: None,
        }
    }
}

impl InferenceConfig {
    /// Checks every value.
    ///
    /// # Errors
    /// [`InferenceError::Setting`] with the first that is out of its range.
    pub fn validate(&self) -> Result<(), InferenceError> {
        let multiple_of = match self.padding {
            Padding::Longest { multiple_of } => multiple_of,
            Padding::Fixed(_) => 1,
        };
        for (setting, found) in [
            ("batch_size", self.batch_size),
            ("pad_to_multiple_of", multiple_of),
            ("concurrent", self.concurrent),
        ] {
            if found == 0 {
                return Err(InferenceError::Setting { setting, found });
            }
        }
        Ok(())
    }
}
