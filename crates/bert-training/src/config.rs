//! A fine-tuning recipe on a device, and what it makes of a number of examples.

use bert_features::batch::Padding;
use bert_model::{MaskSource, Precision};

use crate::batches::{BatchConfig, steps_per_epoch};
use crate::collective::ReducePrecision;
use crate::optimizer::Residency;
use crate::reduction::ReduceBackend;
use crate::{Recipe, TrainError};

/// A fine-tuning recipe, and how the device runs it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrainConfig {
    /// The numbers of the recipe.
    pub recipe: Recipe,
    /// How wide a micro-batch is made.
    pub padding: Padding,
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
    /// How gradients travel between processes, where there are several.
    pub reduce_precision: ReducePrecision,
    /// By what they add them up; `None` for NCCL where each process has a GPU of its own, and MPI elsewhere.
    pub reduce_backend: Option<ReduceBackend>,
    /// Steps whose losses are read from the device together. Reading waits for the device.
    pub read_every: usize,
}

impl TrainConfig {
    /// Checks every value.
    ///
    /// # Errors
    /// [`TrainError::Setting`] with the name of the first bad one.
    pub fn validate(&self) -> Result<(), TrainError> {
        self.recipe.validate()?;
        if self.padding == (Padding::Longest { multiple_of: 0 }) {
            return Err(TrainError::Setting {
                setting: "pad_to_multiple_of",
                found: "0".to_owned(),
                expected: "at least 1".to_owned(),
            });
        }
        Ok(())
    }

    /// How examples are put into batches.
    pub fn batches(&self) -> BatchConfig {
        BatchConfig {
            batch_size: self.recipe.train_batch_size,
            accumulation: self.recipe.gradient_accumulation_steps,
            padding: self.padding,
        }
    }

    /// The same recipe with another number of micro-batches a step.
    pub fn with_accumulation(mut self, accumulation: usize) -> Self {
        self.recipe.gradient_accumulation_steps = accumulation;
        self
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
    /// least one; a number of steps takes the place of the epochs.
    ///
    /// # Errors
    /// When there are no examples or a setting is out of its range.
    pub fn new(examples: usize, config: &TrainConfig) -> Result<Self, TrainError> {
        config.validate()?;
        if examples == 0 {
            return Err(TrainError::NoExamples);
        }
        let steps_per_epoch = steps_per_epoch(examples, &config.batches());
        let of_epochs = (steps_per_epoch as f64 * config.recipe.num_train_epochs).round() as usize;
        Ok(Self {
            examples,
            steps_per_epoch,
            total_steps: config.recipe.max_steps.unwrap_or(of_epochs).max(1),
        })
    }
}
