//! A checkpoint's configuration, tokenizer and weights, checked against each other.

use std::path::Path;

use bert_model::checkpoint::{HeadPolicy, load_as};
use bert_model::heads::TaskModel;
use bert_model::{BertConfig, Encoder, InputLimits};
use bert_tokenization::BertTokenizer;
use burn::tensor::Device;

use crate::InferenceError;

/// A checkpoint in memory.
pub(crate) struct Checkpoint<M> {
    pub(crate) config: BertConfig,
    pub(crate) tokenizer: BertTokenizer,
    pub(crate) model: M,
}

impl<M: TaskModel> Checkpoint<M> {
    /// Reads a fine-tuned checkpoint from its folder onto a device, one tensor of which has at most `largest_buffer`
    /// bytes.
    pub(crate) fn load(
        dir: &Path,
        device: &Device,
        largest_buffer: Option<u64>,
    ) -> Result<Self, InferenceError> {
        let config = BertConfig::read(&dir.join("config.json"))?;
        check_table(&config, largest_buffer)?;
        let tokenizer = BertTokenizer::from_dir(dir, None)?;
        check_tokenizer(dir, M::Encoder::limits(&config), &tokenizer)?;
        let loaded = load_as::<M>(dir, config.clone(), HeadPolicy::MustBeTrained, device)?;
        Ok(Self {
            config,
            tokenizer,
            model: loaded.model,
        })
    }

    /// A row's length in tokens, shortened to what the model can read.
    pub(crate) fn shortened(&self, max_seq_length: usize) -> usize {
        max_seq_length.min(M::Encoder::limits(&self.config).length)
    }
}

/// Checks that a device holds a model's largest parameter, before its weights are read.
///
/// # Errors
/// When it is larger than a buffer of the device may be.
pub fn check_table(config: &BertConfig, largest_buffer: Option<u64>) -> Result<(), InferenceError> {
    let table = config.largest_parameter();
    Ok(table.check(largest_buffer, || {
        "another `device` or a model with a smaller vocabulary is needed".to_owned()
    })?)
}

/// Checks that a model can take what a tokenizer gives it; `dir` names the checkpoint in errors.
///
/// # Errors
/// When the vocabulary is larger than the model's table, or the model does not know two segments.
pub fn check_tokenizer(
    dir: &Path,
    limits: InputLimits,
    tokenizer: &BertTokenizer,
) -> Result<(), InferenceError> {
    if tokenizer.vocab_size() > limits.vocabulary {
        return Err(InferenceError::Vocabulary {
            dir: dir.to_owned(),
            found: tokenizer.vocab_size(),
            expected: limits.vocabulary,
        });
    }
    if limits.segments < 2 {
        return Err(InferenceError::Segments {
            dir: dir.to_owned(),
            found: limits.segments,
        });
    }
    Ok(())
}
