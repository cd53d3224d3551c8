//! A checkpoint's configuration, tokenizer and weights, checked against each other.

use std::path::Path;

use bert_model::BertConfig;
use bert_model::checkpoint::{HeadPolicy, load_as};
use bert_model::heads::TaskModel;
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
    /// Reads a fine-tuned checkpoint from its folder.
    pub(crate) fn load(dir: &Path, device: &Device) -> Result<Self, InferenceError> {
        let config = BertConfig::read(&dir.join("config.json"))?;
        let tokenizer = BertTokenizer::from_dir(dir, None)?;
        check_tokenizer(dir, &config, &tokenizer)?;
        let loaded = load_as::<M>(dir, config.clone(), HeadPolicy::MustBeTrained, device)?;
        Ok(Self {
            config,
            tokenizer,
            model: loaded.model,
        })
    }

    /// The longest row that is made: the script's, or what the model has places for.
    pub(crate) fn max_seq_length(&self, scripts: usize) -> usize {
        scripts.min(self.config.max_position_embeddings)
    }
}

/// Checks that a model can take what a tokenizer gives it; `dir` names the checkpoint in errors.
///
/// # Errors
/// When the vocabulary is larger than the model's table, or the model does not know two segments.
pub fn check_tokenizer(
    dir: &Path,
    config: &BertConfig,
    tokenizer: &BertTokenizer,
) -> Result<(), InferenceError> {
    if tokenizer.vocab_size() > config.vocab_size {
        return Err(InferenceError::Vocabulary {
            dir: dir.to_owned(),
            found: tokenizer.vocab_size(),
            expected: config.vocab_size,
        });
    }
    if config.type_vocab_size < 2 {
        return Err(InferenceError::Segments {
            dir: dir.to_owned(),
            found: config.type_vocab_size,
        });
    }
    Ok(())
}
