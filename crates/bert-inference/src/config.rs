//! How models are run.

use bert_model::{BertConfig, Precision};
use bert_training::ScoreConfig;
use bert_training::batches::Padding;

/// How a model is run over texts.
#[derive(Debug, Clone, Copy)]
pub struct InferenceConfig {
    /// Rows (windows, texts, or examples of several choices) of a batch, at least 1.
    pub batch_size: usize,
    /// Rows are padded to the longest of their batch, rounded up to a multiple of so many tokens.
    pub pad_to_multiple_of: usize,
    /// The arithmetic of products.
    pub precision: Precision,
    /// Batches that are computed at once: threads of a processor, 1 on another device.
    pub concurrent: usize,
}

impl Default for InferenceConfig {
    fn default() -> Self {
        Self {
            batch_size: 8,
            pad_to_multiple_of: 8,
            precision: Precision::Fp32,
            concurrent: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

impl InferenceConfig {
    pub(crate) fn score_config(&self, model: &BertConfig) -> ScoreConfig {
        ScoreConfig {
            batch_size: self.batch_size.max(1),
            padding: Padding::Longest {
                multiple_of: self.pad_to_multiple_of.max(1),
            },
            pad_token_id: model.pad_token_id,
            precision: self.precision,
            concurrent: self.concurrent,
        }
    }
}
