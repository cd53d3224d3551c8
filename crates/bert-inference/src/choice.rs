//! Endings of beginnings.

use std::ops::ControlFlow;
use std::path::Path;

use bert_datasets::swag::{ENDINGS_OF_SWAG, SwagDataset, SwagExample};
use bert_features::swag::{DEFAULT_MAX_SEQ_LENGTH, convert};
use bert_model::BertConfig;
use bert_model::heads::BertForMultipleChoice;
use bert_prediction::choice::{ChoicePrediction, choose};
use bert_training::classification::score_examples;
use burn::tensor::Device;

use crate::checkpoint::Checkpoint;
use crate::{InferenceConfig, InferenceError};

/// A beginning and its four possible endings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beginning<'a> {
    /// The sentence before (SWAG's `sent1`).
    pub context: &'a str,
    /// The start of the sentence that the endings finish (`sent2`); may be empty.
    pub start: &'a str,
    /// The endings.
    pub endings: [&'a str; ENDINGS_OF_SWAG],
}

/// A multiple-choice model in memory.
pub struct ChoiceMaker {
    checkpoint: Checkpoint<BertForMultipleChoice>,
    device: Device,
    inference: InferenceConfig,
    max_seq_length: usize,
}

impl ChoiceMaker {
    /// Loads a fine-tuned checkpoint; texts are cut to `max_seq_length` tokens, or without one to the 2018 script's
    /// 128, or to what the model has places for.
    ///
    /// # Errors
    /// When the checkpoint is bad, or its head is untrained or another task's.
    pub fn load(
        dir: &Path,
        device: &Device,
        inference: InferenceConfig,
        max_seq_length: Option<usize>,
    ) -> Result<Self, InferenceError> {
        let checkpoint = Checkpoint::<BertForMultipleChoice>::load(dir, device)?;
        let longest = max_seq_length.unwrap_or(DEFAULT_MAX_SEQ_LENGTH);
        Ok(Self {
            max_seq_length: checkpoint.max_seq_length(longest),
            checkpoint,
            device: device.clone(),
            inference,
        })
    }

    /// The model's configuration.
    pub fn model_config(&self) -> &BertConfig {
        &self.checkpoint.config
    }

    /// Chooses among the endings of each beginning, and says of how many a text was cut.
    ///
    /// # Errors
    /// When the device fails or a logit is not finite.
    pub fn choose(
        &self,
        beginnings: &[Beginning<'_>],
        progress: impl FnMut(usize) -> ControlFlow<()> + Send,
    ) -> Result<(Vec<ChoicePrediction>, usize), InferenceError> {
        let Checkpoint {
            config,
            tokenizer,
            model,
        } = &self.checkpoint;
        let examples = beginnings.iter().enumerate();
        let examples = examples.map(|(number, beginning)| SwagExample {
            id: number.to_string(),
            sent1: beginning.context.to_owned(),
            sent2: beginning.start.to_owned(),
            endings: beginning.endings.map(str::to_owned).to_vec(),
            label: None,
        });
        let dataset = SwagDataset {
            examples: examples.collect(),
            labelled: false,
        };
        let features = convert(&dataset, tokenizer, self.max_seq_length)?;
        let score = self.inference.score_config(config);
        let logits = score_examples(model, &features, &score, &self.device, progress)?;
        let chosen = logits.iter().map(|logits| Ok(choose(logits)?));
        let chosen = chosen.collect::<Result<_, InferenceError>>()?;
        Ok((chosen, features.truncated))
    }
}
