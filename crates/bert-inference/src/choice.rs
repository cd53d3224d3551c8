//! Endings of beginnings.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use bert_datasets::swag::{SwagDataset, SwagExample};
use bert_features::swag::{DEFAULT_MAX_SEQ_LENGTH, convert};
use bert_model::BertConfig;
use bert_model::heads::{BertForMultipleChoice, ExampleModel};
use bert_prediction::choice::{ChoicePrediction, choose};
use burn::tensor::Device;

use crate::checkpoint::Checkpoint;
use crate::{Alone, InferenceConfig, InferenceError, score_examples};

/// A beginning and its possible endings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beginning<'a> {
    /// The sentence before (SWAG's `sent1`).
    pub context: &'a str,
    /// The start of the sentence that the endings finish (`sent2`); may be empty.
    pub start: &'a str,
    /// The endings, 2 to 26 of them.
    pub endings: &'a [&'a str],
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
        let checkpoint =
            Checkpoint::<BertForMultipleChoice>::load(dir, device, inference.largest_buffer)?;
        let longest = max_seq_length.unwrap_or(DEFAULT_MAX_SEQ_LENGTH);
        Ok(Self {
            max_seq_length: checkpoint.shortened(longest),
            checkpoint,
            device: device.clone(),
            inference,
        })
    }

    /// The model's configuration.
    pub fn model_config(&self) -> &BertConfig {
        &self.checkpoint.config
    }

    /// Chooses among the endings of each beginning, and says of how many a text was cut. Beginnings may have different
    /// numbers of endings.
    ///
    /// # Errors
    /// When a beginning has too few or too many endings, the device fails or a logit is not finite.
    pub fn choose(
        &self,
        beginnings: &[Beginning<'_>],
        mut progress: impl FnMut(usize) -> ControlFlow<()> + Send,
    ) -> Result<(Vec<ChoicePrediction>, usize), InferenceError> {
        let by_endings = by_endings(beginnings)?;
        let mut chosen: Vec<Option<ChoicePrediction>> = beginnings.iter().map(|_| None).collect();
        let (mut done, mut truncated) = (0, 0);
        for numbers in by_endings.into_values() {
            let dataset = dataset(numbers.iter().map(|number| &beginnings[*number]));
            let Checkpoint {
                tokenizer, model, ..
            } = &self.checkpoint;
            let features = convert(&dataset, tokenizer, self.max_seq_length)?;
            let progress = |count| progress(done + count);
            let logits = score_examples(
                model,
                &features,
                &self.inference,
                &self.device,
                &Alone,
                progress,
            )?;
            for (number, logits) in numbers.iter().zip(&logits) {
                chosen[*number] = Some(choose(logits)?);
            }
            done += numbers.len();
            truncated += features.truncated;
        }
        let chosen = chosen.into_iter();
        let chosen = chosen.map(|choice| choice.expect("every beginning is in one group"));
        Ok((chosen.collect(), truncated))
    }
}

/// The beginnings' numbers, grouped by how many endings they have: the examples of a batch have equally many rows.
fn by_endings(beginnings: &[Beginning<'_>]) -> Result<BTreeMap<usize, Vec<usize>>, InferenceError> {
    let mut groups = BTreeMap::<usize, Vec<usize>>::new();
    for (number, beginning) in beginnings.iter().enumerate() {
        let found = beginning.endings.len();
        let expected = BertForMultipleChoice::ROWS_PER_EXAMPLE;
        if !expected.contains(&found) {
            return Err(InferenceError::Endings {
                beginning: number,
                found,
                expected,
            });
        }
        groups.entry(found).or_default().push(number);
    }
    Ok(groups)
}

/// The beginnings as a data file would hold them.
fn dataset<'a>(beginnings: impl Iterator<Item = &'a Beginning<'a>>) -> SwagDataset {
    let examples = beginnings.enumerate();
    let examples = examples.map(|(number, beginning)| SwagExample {
        id: number.to_string(),
        sent1: beginning.context.to_owned(),
        sent2: beginning.start.to_owned(),
        endings: beginning
            .endings
            .iter()
            .map(|ending| (*ending).to_owned())
            .collect(),
        label: None,
    });
    SwagDataset {
        examples: examples.collect(),
        labelled: false,
    }
}
