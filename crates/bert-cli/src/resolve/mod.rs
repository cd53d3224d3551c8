//! Arguments to settings: defaults, what follows from what, and what does not fit together. Here is what
//! every training command has; a family's own is in its file.

pub(crate) mod glue;
mod paths;
pub(crate) mod squad;
pub(crate) mod swag;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use bert_training::batches::{BatchConfig, Padding};
use bert_training::optimizer::{BertAdamConfig, GradientClip};
use bert_training::{Schedule, TrainConfig};
use serde::Serialize;

use crate::args::{
    CheckpointArgs, DeviceArgs, EvaluationArgs, GradClipArg, PrecisionArg, RecipeArgs, RunArgs,
    ScheduleArg, TrainingDeviceArgs,
};
use crate::backend::{self, Backend, DeviceChoice};
use crate::commands::family::Scoring;
use crate::config::Demo;
use crate::exit::bad_usage;

pub(crate) use paths::{check_is_folder, checkpoint_dir};
use paths::{data_dir, demo_dir};

/// A training command with every setting decided. Its serialised form goes into `run.json`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Settings<S> {
    /// What every family has.
    #[serde(flatten)]
    pub(crate) run: RunSettings,
    /// What this family has.
    #[serde(flatten)]
    pub(crate) own: S,
}

/// What every family's training has.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RunSettings {
    pub(crate) bert_model: PathBuf,
    pub(crate) from_scratch: bool,
    /// Whether the run trains; else it predicts only.
    pub(crate) trains: bool,
    pub(crate) output_dir: PathBuf,
    pub(crate) overwrite_output_dir: bool,
    /// Whether the folder is the demo's own: what an earlier demo left in it may be replaced.
    #[serde(skip)]
    pub(crate) is_demo_folder: bool,
    /// Whether there must be a run to go on with.
    #[serde(skip)]
    pub(crate) resume: bool,
    /// Score the model before training too.
    pub(crate) score_untrained: bool,
    pub(crate) max_train_examples: Option<usize>,
    pub(crate) seed: u64,
    /// Train once with each; empty: once, with `seed`.
    #[serde(skip)]
    pub(crate) seeds: Vec<u64>,
    pub(crate) recipe: Recipe,
    pub(crate) saving: Saving,
    /// Steps between two evaluations on the way.
    pub(crate) eval_steps: Option<usize>,
    pub(crate) early_stopping_patience: Option<usize>,
    pub(crate) do_lower_case: bool,
    /// The kind of device: cpu or cuda.
    pub(crate) backend: &'static str,
    pub(crate) device: String,
    pub(crate) precision: PrecisionArg,
    pub(crate) optimize_on_cpu: bool,
    pub(crate) gradient_checkpointing: bool,
    pub(crate) auto_micro_batch: bool,
    /// In bytes; `None`: what is free.
    pub(crate) max_memory: Option<u64>,
    #[serde(skip)]
    pub(crate) dry_run: bool,
    #[serde(skip)]
    pub(crate) device_choice: DeviceChoice,
}

/// The numbers of a fine-tuning recipe.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Recipe {
    pub(crate) train_batch_size: usize,
    pub(crate) gradient_accumulation_steps: usize,
    pub(crate) learning_rate: f64,
    pub(crate) num_train_epochs: f64,
    pub(crate) warmup_proportion: f64,
    pub(crate) schedule: Schedule,
    pub(crate) grad_clip: GradientClip,
    /// `None`: to the longest row.
    pub(crate) pad_to: Option<usize>,
    pub(crate) pad_to_multiple_of: usize,
}

/// When a run is saved, and what is kept.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Saving {
    pub(crate) save_steps: Option<usize>,
    /// `None`: not by the clock.
    pub(crate) save_minutes: Option<f64>,
    pub(crate) keep_last: NonZeroUsize,
}

/// What differs between a family's bundled demo and its script's defaults.
struct RecipeDefaults {
    train_batch_size: usize,
    learning_rate: f64,
    num_train_epochs: f64,
}

impl From<Demo> for RecipeDefaults {
    fn from(demo: Demo) -> Self {
        Self {
            train_batch_size: demo.train_batch_size,
            learning_rate: demo.learning_rate,
            num_train_epochs: demo.num_train_epochs,
        }
    }
}

/// `run_squad.py`, `run_swag.py` and `run_classifier.py` 0.4 agree on these.
const SCRIPT: RecipeDefaults = RecipeDefaults {
    train_batch_size: 32,
    learning_rate: 5e-5,
    num_train_epochs: 3.0,
};
const WARMUP_PROPORTION: f64 = 0.1;

/// What a family decides before [`run_settings`] decides the rest.
struct FamilyChoice {
    /// Whether the bundled data are used.
    demo: bool,
    /// Whether the run trains.
    trains: bool,
    /// The checkpoint, where the user names none.
    demo_model: PathBuf,
    /// The folder for the demo's results.
    demo_output_dir: PathBuf,
    /// What the demo does otherwise than the script.
    demo_recipe: Demo,
    /// Longest row, in tokens.
    max_seq_length: usize,
    do_lower_case: bool,
}

/// The arguments that every training command has.
#[derive(Clone, Copy)]
struct TrainingArgs<'a> {
    run: &'a RunArgs,
    recipe: &'a RecipeArgs,
    checkpoints: &'a CheckpointArgs,
    device: &'a TrainingDeviceArgs,
}

/// Decides what every training command has.
///
/// # Errors
/// When settings do not fit together, or one that has no support here is asked for.
fn run_settings(args: &TrainingArgs<'_>, family: FamilyChoice) -> anyhow::Result<RunSettings> {
    let TrainingArgs {
        run: args,
        recipe,
        checkpoints,
        device,
    } = *args;
    refuse_unsupported(device)?;
    let saving = saving(checkpoints)?;
    if recipe.max_train_examples == Some(0) {
        bad_usage!("--max-train-examples: found 0, expected at least 1");
    }
    if device.pad_to_multiple_of == 0 {
        bad_usage!("--pad-to-multiple-of: found 0, expected at least 1");
    }
    if args.from_scratch && !family.trains {
        bad_usage!(
            "--from-scratch: found nothing to train on: untrained weights predict nothing; give training data"
        );
    }
    check_checkpoint_flags(checkpoints, family.trains)?;
    for (flag, given) in [
        ("--gradient-checkpointing", device.gradient_checkpointing),
        ("--auto-micro-batch", device.auto_micro_batch),
        ("--max-memory", device.max_memory.is_some()),
    ] {
        if given && !family.trains {
            bad_usage!("{flag}: found nothing to train on, expected training data");
        }
    }
    if !recipe.seeds.is_empty() && !family.trains {
        bad_usage!("--seeds: found nothing to train on; a prediction does not depend on a seed");
    }
    let mut seeds = recipe.seeds.clone();
    seeds.sort_unstable();
    if let Some(pair) = seeds.windows(2).find(|pair| pair[0] == pair[1]) {
        bad_usage!("--seeds: found {} twice, expected different seeds", pair[0]);
    }
    let bert_model = match (&args.bert_model, family.demo) {
        (Some(model), _) => checkpoint_dir(model)?,
        (None, true) => family.demo_model,
        (None, false) => bad_usage!("--bert-model is missing, expected a checkpoint's folder"),
    };
    let output_dir = match (&args.output_dir, family.demo) {
        (Some(dir), _) => dir.clone(),
        (None, true) => family.demo_output_dir,
        (None, false) => bad_usage!("--output-dir is missing, expected the folder for the results"),
    };
    // The bundled small model has no weights.
    let from_scratch = args.from_scratch || (family.demo && args.bert_model.is_none());
    let defaults = match from_scratch && family.demo {
        true => family.demo_recipe.into(),
        false => SCRIPT,
    };
    let grad_clip = match recipe.grad_clip {
        GradClipArg::Tensor => GradientClip::PerTensor(recipe.max_grad_norm),
        GradClipArg::Global => GradientClip::Global(recipe.max_grad_norm),
        GradClipArg::None => GradientClip::Off,
    };
    let Compute {
        device: device_choice,
        precision,
    } = compute(&device.device)?;
    Ok(RunSettings {
        bert_model,
        from_scratch,
        trains: family.trains,
        overwrite_output_dir: args.overwrite_output_dir,
        is_demo_folder: family.demo && args.output_dir.is_none(),
        resume: checkpoints.resume,
        output_dir,
        score_untrained: family.demo && from_scratch,
        max_train_examples: recipe.max_train_examples,
        seed: recipe.seeds.first().copied().unwrap_or(recipe.seed),
        seeds: recipe.seeds.clone(),
        recipe: Recipe {
            train_batch_size: recipe.train_batch_size.unwrap_or(defaults.train_batch_size),
            gradient_accumulation_steps: recipe.gradient_accumulation_steps.unwrap_or(1),
            learning_rate: recipe.learning_rate.unwrap_or(defaults.learning_rate),
            num_train_epochs: recipe.num_train_epochs.unwrap_or(defaults.num_train_epochs),
            warmup_proportion: recipe.warmup_proportion.unwrap_or(WARMUP_PROPORTION),
            schedule: match recipe.schedule {
                ScheduleArg::WarmupLinear => Schedule::WarmupLinear,
                ScheduleArg::Constant => Schedule::Constant,
                ScheduleArg::Cosine => Schedule::Cosine,
            },
            grad_clip,
            pad_to: device.pad_to_max_length.then_some(family.max_seq_length),
            pad_to_multiple_of: device.pad_to_multiple_of,
        },
        saving,
        eval_steps: checkpoints.eval_steps,
        early_stopping_patience: checkpoints.early_stopping_patience,
        do_lower_case: family.do_lower_case,
        backend: device_choice.kind(),
        device: device_choice.to_string(),
        precision,
        optimize_on_cpu: device.optimize_on_cpu,
        gradient_checkpointing: device.gradient_checkpointing,
        auto_micro_batch: device.auto_micro_batch,
        max_memory: device.max_memory,
        dry_run: args.dry_run,
        device_choice,
    })
}

/// Known before anything is looked at: a bad flag must not cost an earlier run its files.
fn check_checkpoint_flags(args: &CheckpointArgs, trains: bool) -> anyhow::Result<()> {
    let counts = [
        ("--save-steps", args.save_steps),
        ("--eval-steps", args.eval_steps),
        ("--early-stopping-patience", args.early_stopping_patience),
    ];
    for (flag, count) in counts {
        if count == Some(0) {
            bad_usage!("{flag}: found 0, expected at least 1");
        }
        if count.is_some() && !trains {
            bad_usage!("{flag}: found nothing to train on, expected training data");
        }
    }
    if args.early_stopping_patience.is_some() && args.eval_steps.is_none() {
        bad_usage!(
            "--early-stopping-patience: found no evaluations to be patient with, expected --eval-steps"
        );
    }
    if args.resume && !trains {
        bad_usage!("--resume: found nothing to train on, expected training data");
    }
    Ok(())
}

fn saving(args: &CheckpointArgs) -> anyhow::Result<Saving> {
    let minutes = args.save_minutes;
    // A day is written as 1440; a century is a mistake, and no duration of the standard library's.
    if !(0.0..=1e6).contains(&minutes) {
        bad_usage!("--save-minutes: found {minutes}, expected at least 0 and at most 1000000");
    }
    Ok(Saving {
        save_steps: args.save_steps,
        save_minutes: (minutes > 0.0).then_some(minutes),
        keep_last: args.keep_last,
    })
}

fn refuse_unsupported(args: &TrainingDeviceArgs) -> anyhow::Result<()> {
    if args.fp16 || args.loss_scale.is_some() {
        bad_usage!(
            "--fp16 and --loss-scale are not supported, expected --precision bf16, which needs no scale"
        );
    }
    if let Some(rank) = args.local_rank.filter(|rank| *rank != -1) {
        bad_usage!("--local-rank: found {rank}, expected -1: training runs in one process");
    }
    Ok(())
}

/// Which of training and predicting a command does: what is asked for, or without a wish what the files
/// allow.
fn stages(do_train: bool, do_predict: bool) -> (bool, bool) {
    let neither = !do_train && !do_predict;
    (do_train || neither, do_predict || neither)
}

/// Rows of an evaluation batch, where the user does not say.
pub(crate) fn default_batch_size(device: DeviceChoice) -> usize {
    match device {
        DeviceChoice::Cpu => 8,
        DeviceChoice::Cuda(_) => 64,
    }
}

/// Examples of an evaluation batch.
///
/// # Errors
/// When a batch would be empty.
pub(crate) fn eval_batch_size(
    args: &EvaluationArgs,
    device: DeviceChoice,
) -> anyhow::Result<usize> {
    let size = args
        .eval_batch_size
        .unwrap_or_else(|| default_batch_size(device));
    if size == 0 {
        bad_usage!("--eval-batch-size: found 0, expected at least 1");
    }
    Ok(size)
}

/// Where and in which arithmetic a command computes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Compute {
    pub(crate) device: DeviceChoice,
    pub(crate) precision: PrecisionArg,
}

/// The device and the arithmetic that a command names.
///
/// # Errors
/// When the device does not have the arithmetic.
pub(crate) fn compute(args: &DeviceArgs) -> anyhow::Result<Compute> {
    let device = match args.no_cuda {
        true => DeviceChoice::Cpu,
        false => args.device.unwrap_or_else(backend::default_device),
    };
    let precision = match (device, args.precision) {
        (DeviceChoice::Cpu, None | Some(PrecisionArg::Fp32)) => PrecisionArg::Fp32,
        (DeviceChoice::Cpu, Some(PrecisionArg::Tf32)) => {
            bad_usage!("--precision: found tf32 on the CPU, expected fp32")
        }
        (DeviceChoice::Cpu, Some(PrecisionArg::Bf16)) => {
            bad_usage!("--precision: found bf16 on the CPU, expected fp32")
        }
        (DeviceChoice::Cuda(_), None) => PrecisionArg::Tf32,
        (DeviceChoice::Cuda(_), Some(PrecisionArg::Fp32)) => bad_usage!(
            "--precision: found fp32 on {device}, expected tf32 or bf16: Burn 0.22 computes large 32-bit products \
             there in TF32 and cannot be told not to"
        ),
        (DeviceChoice::Cuda(_), Some(precision)) => precision,
    };
    Ok(Compute { device, precision })
}

impl RunSettings {
    /// The settings of one of several seeds, whose results have a folder of their own.
    pub(crate) fn with_seed(&self, seed: u64) -> Self {
        Self {
            seed,
            seeds: Vec::new(),
            output_dir: self.output_dir.join(format!("seed-{seed}")),
            ..self.clone()
        }
    }

    /// How batches are made as wide as their rows.
    pub(crate) fn padding(&self) -> Padding {
        match self.recipe.pad_to {
            Some(width) => Padding::Fixed(width),
            None => Padding::Longest {
                multiple_of: self.recipe.pad_to_multiple_of,
            },
        }
    }

    /// How models are run over examples in this run.
    pub(crate) fn scoring<'a>(&self, backend: &'a Backend) -> Scoring<'a> {
        Scoring {
            device: &backend.device,
            padding: self.padding(),
            precision: self.precision.into(),
            concurrent: backend.concurrent,
        }
    }

    /// The recipe on a backend.
    pub(crate) fn train_config(&self, backend: &Backend) -> TrainConfig {
        let residency = backend.residency(self.optimize_on_cpu);
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
            precision: self.precision.into(),
            gradient_checkpointing: self.gradient_checkpointing,
            masks: backend.masks,
            read_every: backend.read_every,
        }
    }
}
