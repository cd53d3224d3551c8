//! Arguments to the library's settings: what follows from what the user says and from the files that are there.

pub(crate) mod glue;
mod lengths;
mod paths;
pub(crate) mod squad;
pub(crate) mod swag;

use bert_backend::DeviceChoice;
use bert_finetune::{Compute, RunSettings};
use tracing::warn;

use crate::args::{DeviceArgs, EvaluationArgs, RefusedArgs, TrainingArgs};
use crate::exit::bad_usage;
use crate::processes;

pub(crate) use lengths::{max_seq_length, windows};
use paths::data_dir;
pub(crate) use paths::{check_inputs, checkpoint_dir};

/// The settings that every training has. `trains` says whether there is something to train on.
///
/// # Errors
/// When settings do not fit together, or one that is not supported is asked for.
fn run_settings(
    args: &TrainingArgs,
    trains: bool,
    do_lower_case: bool,
) -> anyhow::Result<RunSettings> {
    refuse_unsupported(&args.refused)?;
    let run = &args.run;
    let Some(bert_model) = run.bert_model.as_ref().or(run.demo_model.as_ref()) else {
        bad_usage!("--bert-model is missing, expected a checkpoint's folder or a model's name");
    };
    let Some(output_dir) = run.output_dir.as_ref().or(run.demo_output_dir.as_ref()) else {
        bad_usage!("--output-dir is missing, expected the folder for the results");
    };
    let is_demo_model = run.bert_model.is_none();
    // The model that the demos of SWAG and GLUE train is bundled without weights.
    let has_weights = bert_model.join("model.safetensors").is_file();
    let mut settings = RunSettings {
        from_scratch: run.from_scratch || (trains && is_demo_model && !has_weights),
        trains,
        overwrite_output_dir: run.overwrite_output_dir,
        is_demo_folder: run.output_dir.is_none(),
        resume: run.resume,
        score_untrained: is_demo_model,
        max_train_examples: run.max_train_examples,
        max_eval_examples: run.max_eval_examples,
        validation_split: run.validation_split,
        seed: run.seeds.first().copied().unwrap_or(run.seed),
        seeds: run.seeds.clone(),
        retry_failed_seeds: run.retry_failed_seeds,
        do_lower_case,
        recipe: args.recipe,
        saving: args.saving,
        evaluation: args.evaluation,
        execution: args.execution,
        ..RunSettings::new(bert_model, output_dir, compute(&args.device)?)
    };
    settings.validate()?;
    settings.bert_model = checkpoint_dir(bert_model)?;
    Ok(settings)
}

fn refuse_unsupported(args: &RefusedArgs) -> anyhow::Result<()> {
    if args.fp16 || args.loss_scale.is_some() {
        bad_usage!(
            "--fp16 and --loss-scale are not supported, expected --precision bf16, which needs no scale"
        );
    }
    if let Some(rank) = args.local_rank.filter(|rank| *rank != -1) {
        bad_usage!(
            "--local-rank: found {rank}, expected -1: `mpirun` gives each process its number"
        );
    }
    Ok(())
}

/// Which of training and predicting a command does: what is asked for, or else what the files allow.
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

/// The device and the arithmetic that a command names.
///
/// # Errors
/// When the device does not have the arithmetic.
pub(crate) fn compute(args: &DeviceArgs) -> anyhow::Result<Compute> {
    let device = if args.no_cuda {
        "cpu".parse().expect("the CPU is a device")
    } else {
        args.device.unwrap_or_else(default_device)
    };
    let device = device.of_process(processes::collective().local_rank());
    Ok(Compute::new(device, args.precision)?)
}

/// The device where none is named. A build for GPUs that computes on the CPU says so: it is much slower there.
fn default_device() -> DeviceChoice {
    let device = DeviceChoice::default();
    for backend in device.passed_over() {
        warn!("found no GPU for {backend}: the device is {device}");
    }
    device
}
