//! Arguments to settings: defaults, what follows from what, and what does not fit together. Here is what
//! every training command has; a family's own is in its file.

pub(crate) mod glue;
mod paths;
pub(crate) mod squad;
pub(crate) mod swag;

use std::path::PathBuf;

use bert_backend::DeviceChoice;
use bert_finetune::{Recipe, RunSettings, Saving};
use bert_model::Precision;
use bert_training::Schedule;
use bert_training::optimizer::GradientClip;

use crate::args::{
    CheckpointArgs, DeviceArgs, EvaluationArgs, GradClipArg, RecipeArgs, RunArgs, ScheduleArg,
    TrainingDeviceArgs,
};
use crate::config::Demo;
use crate::exit::bad_usage;

pub(crate) use paths::checkpoint_dir;
use paths::{data_dir, demo_dir};

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
        device: device_args,
    } = *args;
    refuse_unsupported(device_args)?;
    let saving = saving(checkpoints)?;
    if recipe.max_train_examples == Some(0) {
        bad_usage!("--max-train-examples: found 0, expected at least 1");
    }
    if device_args.pad_to_multiple_of == 0 {
        bad_usage!("--pad-to-multiple-of: found 0, expected at least 1");
    }
    if args.from_scratch && !family.trains {
        bad_usage!(
            "--from-scratch: found nothing to train on: untrained weights predict nothing; give training data"
        );
    }
    check_checkpoint_flags(checkpoints, family.trains)?;
    for (flag, given) in [
        (
            "--gradient-checkpointing",
            device_args.gradient_checkpointing,
        ),
        ("--auto-micro-batch", device_args.auto_micro_batch),
        ("--max-memory", device_args.max_memory.is_some()),
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
    let Compute { device, precision } = compute(&device_args.device)?;
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
            pad_to: device_args
                .pad_to_max_length
                .then_some(family.max_seq_length),
            pad_to_multiple_of: device_args.pad_to_multiple_of,
        },
        saving,
        eval_steps: checkpoints.eval_steps,
        early_stopping_patience: checkpoints.early_stopping_patience,
        do_lower_case: family.do_lower_case,
        backend: device.kind().name.to_owned(),
        device,
        precision,
        optimize_on_cpu: device_args.optimize_on_cpu,
        gradient_checkpointing: device_args.gradient_checkpointing,
        auto_micro_batch: device_args.auto_micro_batch,
        max_memory: device_args.max_memory,
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
        .unwrap_or(device.kind().eval_batch_size);
    if size == 0 {
        bad_usage!("--eval-batch-size: found 0, expected at least 1");
    }
    Ok(size)
}

/// Where and in which arithmetic a command computes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Compute {
    pub(crate) device: DeviceChoice,
    pub(crate) precision: Precision,
}

/// The device and the arithmetic that a command names.
///
/// # Errors
/// When the device does not have the arithmetic.
pub(crate) fn compute(args: &DeviceArgs) -> anyhow::Result<Compute> {
    let device = if args.no_cuda {
        "cpu".parse().expect("the CPU is a device")
    } else {
        args.device.unwrap_or_default()
    };
    let precision = device.kind().precision(args.precision)?;
    Ok(Compute { device, precision })
}
