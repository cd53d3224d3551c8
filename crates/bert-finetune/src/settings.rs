//! The settings of a training run.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use bert_backend::{Backend, BackendKind, DeviceChoice};
use bert_features::batch::Padding;
use bert_model::Precision;
use bert_tasks::{Scoring, Source, Watch};
use bert_training::batches::BatchConfig;
use bert_training::optimizer::{BertAdamConfig, GradientClip, Residency};
use bert_training::{Schedule, TrainConfig};
use serde::Serialize;

/// A training command with every setting decided. Its serialised form goes into `run.json`.
#[derive(Debug, Clone, Serialize)]
pub struct Settings<S> {
    /// What every family has.
    #[serde(flatten)]
    pub run: RunSettings,
    /// What this family has.
    #[serde(flatten)]
    pub own: S,
}

/// What every family's training has.
#[derive(Debug, Clone, Serialize)]
pub struct RunSettings {
    /// The folder of the checkpoint that the run starts from.
    pub bert_model: PathBuf,
    /// Whether all weights are drawn anew.
    pub from_scratch: bool,
    /// Whether the run trains; else it predicts only.
    pub trains: bool,
    /// The folder for everything that the run leaves.
    pub output_dir: PathBuf,
    /// Whether an earlier run's files in it are replaced.
    pub overwrite_output_dir: bool,
    /// Whether the folder is the demo's own: what an earlier demo left in it may be replaced.
    #[serde(skip)]
    pub is_demo_folder: bool,
    /// Whether there must be a run to go on with.
    #[serde(skip)]
    pub resume: bool,
    /// Score the model before training too.
    pub score_untrained: bool,
    /// Examples of the training file that are used, from its beginning; `None`: all.
    pub max_train_examples: Option<usize>,
    /// Seed of the head, the data order and dropout.
    pub seed: u64,
    /// Train once with each; empty: once, with `seed`.
    #[serde(skip)]
    pub seeds: Vec<u64>,
    /// The numbers of the recipe.
    pub recipe: Recipe,
    /// When the run is saved.
    pub saving: Saving,
    /// Steps between two evaluations on the way.
    pub eval_steps: Option<usize>,
    /// Evaluations without a better score after which the run ends.
    pub early_stopping_patience: Option<usize>,
    /// Whether texts are lower-cased.
    pub do_lower_case: bool,
    /// The name of the device's backend.
    pub backend: String,
    /// The device.
    pub device: DeviceChoice,
    /// The arithmetic of matrix products.
    pub precision: Precision,
    /// Whether the optimiser works in host memory.
    pub optimize_on_cpu: bool,
    /// Whether layers are computed again in the backward pass.
    pub gradient_checkpointing: bool,
    /// Whether steps are split where the device's memory does not hold them.
    pub auto_micro_batch: bool,
    /// Memory that the run may take, in bytes; `None`: what is free.
    pub max_memory: Option<u64>,
}

/// The numbers of a fine-tuning recipe.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Recipe {
    /// Examples of one optimiser step.
    pub train_batch_size: usize,
    /// Micro-batches of one optimiser step.
    pub gradient_accumulation_steps: usize,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Passes over the training data; fractions work.
    pub num_train_epochs: f64,
    /// Share of the steps in which the learning rate rises from 0.
    pub warmup_proportion: f64,
    /// How the learning rate moves after that.
    pub schedule: Schedule,
    /// Which gradients are clipped.
    pub grad_clip: GradientClip,
    /// Width of every batch, in tokens; `None`: that of its longest row.
    pub pad_to: Option<usize>,
    /// Tokens to a multiple of which the longest row is rounded up.
    pub pad_to_multiple_of: usize,
}

/// When a run is saved, and what is kept.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Saving {
    /// Optimiser steps between two; `None`: no such number.
    pub save_steps: Option<usize>,
    /// Minutes between two; `None`: no such time.
    pub save_minutes: Option<f64>,
    /// How many are kept, the best one aside.
    pub keep_last: NonZeroUsize,
}

impl RunSettings {
    /// The settings of one of several seeds, whose results have a folder of their own.
    pub fn with_seed(&self, seed: u64) -> Self {
        Self {
            seed,
            seeds: Vec::new(),
            output_dir: self.output_dir.join(format!("seed-{seed}")),
            ..self.clone()
        }
    }

    /// How batches are made as wide as their rows.
    pub fn padding(&self) -> Padding {
        match self.recipe.pad_to {
            Some(width) => Padding::Fixed(width),
            None => Padding::Longest {
                multiple_of: self.recipe.pad_to_multiple_of,
            },
        }
    }

    /// How models are run over examples in this run.
    pub fn scoring<'a>(&self, backend: &'a Backend, watch: &'a dyn Watch) -> Scoring<'a> {
        Scoring {
            device: &backend.device,
            padding: self.padding(),
            precision: self.precision,
            concurrent: backend.concurrent_batches(),
            watch,
        }
    }

    /// The recipe on a backend.
    pub fn train_config(&self, backend: &Backend) -> TrainConfig {
        let kind = backend.kind();
        let residency = residency(kind, self.optimize_on_cpu);
        TrainConfig {
            num_train_epochs: self.recipe.num_train_epochs,
            batches: BatchConfig {
                batch_size: self.recipe.train_batch_size,
                accumulation: self.recipe.gradient_accumulation_steps,
                padding: self.padding(),
            },
            learning_rate: self.recipe.learning_rate,
            warmup_proportion: self.recipe.warmup_proportion,
            schedule: self.recipe.schedule,
            optimizer: BertAdamConfig {
                clip: self.recipe.grad_clip,
                ..BertAdamConfig::default()
            },
            residency,
            seed: self.seed,
            precision: self.precision,
            gradient_checkpointing: self.gradient_checkpointing,
            masks: kind.masks,
            read_every: kind.read_every,
        }
    }

    /// What a family reads first.
    pub fn source(&self) -> Source<'_> {
        Source {
            bert_model: &self.bert_model,
            do_lower_case: self.do_lower_case,
            max_train_examples: self.max_train_examples,
        }
    }
}

/// Where the optimiser's state lives; `on_cpu` asks for host memory.
pub fn residency(kind: &BackendKind, on_cpu: bool) -> Residency {
    if kind.shares_host_memory {
        Residency::Shared
    } else if on_cpu {
        Residency::Host
    } else {
        Residency::Device
    }
}
