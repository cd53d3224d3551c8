//! A fine-tuning recipe, and what it makes of a number of examples.

use bert_features::batch::Padding;
use bert_model::{MaskSource, Precision};

use crate::batches::{BatchConfig, steps_per_epoch};
use crate::optimizer::{BertAdamConfig, GradientClip, Residency};
use crate::{Schedule, TrainError};

/// A fine-tuning recipe, and how the device runs it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrainConfig {
    /// Passes over the examples; fractions work.
    pub num_train_epochs: f64,
    /// Batches, accumulation and padding.
    pub batches: BatchConfig,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Share of the steps in which the learning rate rises from 0.
    pub warmup_proportion: f64,
    /// How the learning rate moves.
    pub schedule: Schedule,
    /// The optimiser's constants.
    pub optimizer: BertAdamConfig,
    /// Where the optimiser's state lives.
    pub residency: Residency,
    /// Seed of the data order and of dropout.
    pub seed: u64,
    /// The arithmetic of products, in training and evaluation.
    pub precision: Precision,
    /// Keep only each layer's input for the backward pass, and compute the layer again there.
    pub gradient_checkpointing: bool,
    /// Where dropout masks are computed.
    pub masks: MaskSource,
    /// Steps whose losses are read from the device together. Reading waits for the device.
    pub read_every: usize,
}

impl TrainConfig {
    /// Checks every value.
    ///
    /// # Errors
    /// [`TrainError::Setting`] with the name of the first bad one.
    pub fn validate(&self) -> Result<(), TrainError> {
        let fail = |setting, found: String, expected: &str| {
            Err(TrainError::Setting {
                setting,
                found,
                expected: expected.to_owned(),
            })
        };
        let BatchConfig {
            batch_size,
            accumulation,
            padding,
        } = self.batches;
        if batch_size == 0 {
            return fail("train_batch_size", "0".into(), "at least 1");
        }
        if accumulation == 0 || batch_size % accumulation != 0 {
            let expected = format!("a divisor of `train_batch_size` {batch_size}");
            return fail(
                "gradient_accumulation_steps",
                accumulation.to_string(),
                &expected,
            );
        }
        if matches!(padding, Padding::Longest { multiple_of: 0 }) {
            return fail("pad_to_multiple_of", "0".into(), "at least 1");
        }
        if !(self.num_train_epochs > 0.0 && self.num_train_epochs.is_finite()) {
            return fail(
                "num_train_epochs",
                self.num_train_epochs.to_string(),
                "above 0",
            );
        }
        if !(self.learning_rate > 0.0 && self.learning_rate.is_finite()) {
            return fail("learning_rate", self.learning_rate.to_string(), "above 0");
        }
        if !(0.0..1.0).contains(&self.warmup_proportion) {
            let found = self.warmup_proportion.to_string();
            return fail("warmup_proportion", found, "at least 0 and below 1");
        }
        if let GradientClip::PerTensor(bound) | GradientClip::Global(bound) = self.optimizer.clip
            && !(bound > 0.0 && bound.is_finite())
        {
            return fail("max_grad_norm", bound.to_string(), "above 0");
        }
        Ok(())
    }
}

/// What a run will do, known before its first step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrainPlan {
    /// Examples of one epoch.
    pub examples: usize,
    /// Optimiser steps of one epoch.
    pub steps_per_epoch: usize,
    /// Optimiser steps of the run: the batches that are really run.
    pub total_steps: usize,
}

impl TrainPlan {
    /// Plans a run over `examples` examples. A fraction of an epoch is rounded to whole steps, at
    /// least one.
    ///
    /// # Errors
    /// When there are no examples or a setting is out of its range.
    pub fn new(examples: usize, config: &TrainConfig) -> Result<Self, TrainError> {
        config.validate()?;
        if examples == 0 {
            return Err(TrainError::NoExamples);
        }
        let steps_per_epoch = steps_per_epoch(examples, &config.batches);
        let total_steps = (steps_per_epoch as f64 * config.num_train_epochs).round() as usize;
        Ok(Self {
            examples,
            steps_per_epoch,
            total_steps: total_steps.max(1),
        })
    }
}
