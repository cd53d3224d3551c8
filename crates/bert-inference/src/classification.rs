//! Classes and scores of texts.

use std::ops::ControlFlow;
use std::path::Path;

use bert_features::glue::{DEFAULT_MAX_SEQ_LENGTH, convert};
use bert_model::heads::BertForSequenceClassification;
use bert_model::{BertConfig, LabelList};
use bert_prediction::choice::{ExamplePrediction, choose};
use burn::tensor::Device;

use crate::checkpoint::Checkpoint;
use crate::{Alone, InferenceConfig, InferenceError, score_examples};

/// A text, or a pair of texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passage<'a> {
    /// The text, or the first of two.
    pub text: &'a str,
    /// The second text of a pair.
    pub pair: Option<&'a str>,
}

/// A sequence-classification model in memory.
pub struct TextClassifier {
    checkpoint: Checkpoint<BertForSequenceClassification>,
    device: Device,
    inference: InferenceConfig,
    max_seq_length: usize,
}

impl TextClassifier {
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
        let checkpoint = Checkpoint::<BertForSequenceClassification>::load(
            dir,
            device,
            inference.largest_buffer,
        )?;
        checkpoint
            .config
            .check_problem_type(&dir.join("config.json"))?;
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

    /// What the outputs are: classes or labels by name, in their order, or one score.
    pub fn labels(&self) -> LabelList {
        self.checkpoint.config.label_list()
    }

    /// Classifies texts, and says how many of them were cut. The probabilities of classes are in the order of
    /// [`TextClassifier::labels`].
    ///
    /// # Errors
    /// When the device fails or a logit is not finite.
    pub fn classify(
        &self,
        texts: &[Passage<'_>],
        progress: impl FnMut(usize) -> ControlFlow<()> + Send,
    ) -> Result<(Vec<ExamplePrediction>, usize), InferenceError> {
        let (logits, truncated) = self.logits(texts, progress)?;
        let predicted = logits.iter().map(|logits| self.prediction(logits));
        Ok((predicted.collect::<Result<_, InferenceError>>()?, truncated))
    }

    /// What the logits of a text say.
    ///
    /// # Errors
    /// When a logit is not finite.
    pub fn prediction(&self, logits: &[f32]) -> Result<ExamplePrediction, InferenceError> {
        Ok(match self.labels() {
            LabelList::Score => ExamplePrediction::score_of(logits)?,
            LabelList::Labels(_) => ExamplePrediction::labels_of(logits)?,
            LabelList::Classes(_) => ExamplePrediction::Class(choose(logits)?),
        })
    }

    /// The model's outputs for texts, and how many of these were cut.
    ///
    /// # Errors
    /// When the device fails.
    pub fn logits(
        &self,
        texts: &[Passage<'_>],
        progress: impl FnMut(usize) -> ControlFlow<()> + Send,
    ) -> Result<(Vec<Vec<f32>>, usize), InferenceError> {
        let Checkpoint {
            tokenizer, model, ..
        } = &self.checkpoint;
        let texts: Vec<_> = texts.iter().map(|text| (text.text, text.pair)).collect();
        let features = convert(&texts, tokenizer, self.max_seq_length)?;
        let logits = score_examples(
            model,
            &features,
            &self.inference,
            &self.device,
            &Alone,
            progress,
        )?;
        Ok((logits, features.truncated))
    }
}
