//! The flags that every training command has: names, meaning and defaults of the 2018 scripts.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use bert_backend::DeviceChoice;
use bert_model::Precision;
use clap::Args;

/// Which model, and where to.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Name on the Hugging Face hub, or folder of a checkpoint: config.json, vocab.txt or tokenizer.json,
    /// model.safetensors or pytorch_model.bin [default: the bundled small model]
    #[arg(long, value_name = "DIR|NAME")]
    pub(crate) bert_model: Option<PathBuf>,
    /// Settings by name: demo, base or large, the published ones; flags win
    #[arg(long, value_name = "NAME")]
    pub(crate) recipe: Option<String>,
    /// Settings from a file: TOML with flags as keys, or the run.json of an earlier run; flags win
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Draw all weights anew: only the checkpoint's config.json and vocabulary are used
    #[arg(long)]
    pub(crate) from_scratch: bool,
    /// Folder for the fine-tuned checkpoint, predictions and scores [default for the demo: a folder
    /// under out]
    #[arg(long, value_name = "DIR")]
    pub(crate) output_dir: Option<PathBuf>,
    /// Replace an earlier run's files in --output-dir
    #[arg(long)]
    pub(crate) overwrite_output_dir: bool,
    /// Resolve the settings, check every input, print the plan and exit
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Log more
    #[arg(long)]
    pub(crate) verbose_logging: bool,
    /// Where the bundled data are
    #[arg(long, hide = true, env = "BERT_DEMO_DIR", default_value = "data/demo")]
    pub(crate) demo_dir: PathBuf,
}

/// How the model is trained.
#[derive(Debug, Args)]
#[command(next_help_heading = "Recipe")]
pub(crate) struct RecipeArgs {
    /// Examples of one optimiser step [default: 32]
    #[arg(long, value_name = "EXAMPLES")]
    pub(crate) train_batch_size: Option<usize>,
    /// Micro-batches of one optimiser step; divides --train-batch-size [default: 1]
    #[arg(long, value_name = "N")]
    pub(crate) gradient_accumulation_steps: Option<usize>,
    /// Peak learning rate [default: 5e-5]
    #[arg(long, value_name = "RATE")]
    pub(crate) learning_rate: Option<f64>,
    /// Passes over the training data; fractions work [default: 3]
    #[arg(long, value_name = "EPOCHS")]
    pub(crate) num_train_epochs: Option<f64>,
    /// Share of the steps in which the learning rate rises from 0 [default: 0.1]
    #[arg(long, value_name = "SHARE")]
    pub(crate) warmup_proportion: Option<f64>,
    /// How the learning rate moves after the warm-up
    #[arg(long, value_enum, default_value = "warmup-linear")]
    pub(crate) schedule: ScheduleArg,
    /// Which gradients are clipped: tensor (each tensor's norm, as the 2018 scripts), global (the norm of
    /// all, as Google's code) or none
    #[arg(long, value_enum, default_value = "tensor")]
    pub(crate) grad_clip: GradClipArg,
    /// Norm above which gradients are clipped
    #[arg(long, value_name = "NORM", default_value_t = 1.0)]
    pub(crate) max_grad_norm: f64,
    /// Seed of the head, the data order and dropout
    #[arg(long, value_name = "N", default_value_t = 42)]
    pub(crate) seed: u64,
    /// Train once with each of these seeds, into a folder of its own each, and print the mean and the
    /// standard deviation of the scores
    #[arg(
        long,
        value_name = "N,N…",
        value_delimiter = ',',
        conflicts_with = "seed"
    )]
    pub(crate) seeds: Vec<u64>,
    /// Train on the first so many examples (questions) of the file
    #[arg(long, value_name = "EXAMPLES")]
    pub(crate) max_train_examples: Option<usize>,
}

/// What is saved on the way, and how a run goes on after it was stopped.
#[derive(Debug, Args)]
#[command(next_help_heading = "Checkpoints")]
pub(crate) struct CheckpointArgs {
    /// Save a checkpoint every so many optimiser steps
    #[arg(long, value_name = "STEPS")]
    pub(crate) save_steps: Option<usize>,
    /// Save a checkpoint every so many minutes; fractions work, 0 does not save by the clock
    #[arg(
        long,
        value_name = "MINUTES",
        default_value_t = 5.0,
        allow_negative_numbers = true
    )]
    pub(crate) save_minutes: f64,
    /// Checkpoints that are kept, the best one aside
    #[arg(long, value_name = "N", default_value = "2")]
    pub(crate) keep_last: NonZeroUsize,
    /// Go on with the run in --output-dir: one that was stopped with the same settings goes on without this
    /// flag too; with it, a folder without such a run is an error, and a finished run prints its results
    #[arg(long, conflicts_with = "overwrite_output_dir")]
    pub(crate) resume: bool,
    /// Evaluate every so many optimiser steps, and end with the best model
    #[arg(long, value_name = "STEPS")]
    pub(crate) eval_steps: Option<usize>,
    /// End after so many evaluations without a better score; needs --eval-steps
    #[arg(long, value_name = "N")]
    pub(crate) early_stopping_patience: Option<usize>,
}

/// Where a command runs.
#[derive(Debug, Args)]
#[command(next_help_heading = "Device")]
pub(crate) struct DeviceArgs {
    /// cpu, cuda or cuda:N [default: cuda where it is compiled in, else cpu]
    #[arg(long, value_name = "DEVICE")]
    pub(crate) device: Option<DeviceChoice>,
    /// The same as --device cpu
    #[arg(long, conflicts_with = "device")]
    pub(crate) no_cuda: bool,
    /// Arithmetic of matrix products: fp32 (the CPU), tf32 or bf16 (CUDA); weights, optimiser, softmax and
    /// losses are in 32 bits with each [default: fp32 on the CPU, tf32 on CUDA]
    #[arg(long, value_enum)]
    pub(crate) precision: Option<Precision>,
}

/// Where and how a training runs.
#[derive(Debug, Args)]
#[command(next_help_heading = "Device")]
pub(crate) struct TrainingDeviceArgs {
    #[command(flatten)]
    pub(crate) device: DeviceArgs,
    /// Keep the optimiser's moments and master weights in host memory and update them there, which
    /// leaves the device 8 bytes a parameter
    #[arg(long)]
    pub(crate) optimize_on_cpu: bool,
    /// Keep only the input of each layer for the backward pass and compute the layer again there: less memory,
    /// about a quarter more time, the same results
    #[arg(long)]
    pub(crate) gradient_checkpointing: bool,
    /// Split steps into more micro-batches than --gradient-accumulation-steps where the device's memory does not
    /// hold them
    #[arg(long)]
    pub(crate) auto_micro_batch: bool,
    /// Memory of the device that the estimate of a training is compared with, e.g. 6GiB or 500MB
    /// [default: what is free]
    #[arg(long, value_name = "SIZE", value_parser = byte_size)]
    pub(crate) max_memory: Option<u64>,
    /// Pad every batch to --max-seq-length, as the 2018 scripts do
    #[arg(long)]
    pub(crate) pad_to_max_length: bool,
    /// Batches are padded to their longest row, rounded up to a multiple of so many tokens
    #[arg(long, value_name = "TOKENS", default_value_t = 16)]
    pub(crate) pad_to_multiple_of: usize,
    /// Not supported: refused
    #[arg(long, hide = true)]
    pub(crate) fp16: bool,
    /// Not supported: refused
    #[arg(long, hide = true)]
    pub(crate) loss_scale: Option<f64>,
    /// Not supported but for -1, one process
    #[arg(long, hide = true, allow_negative_numbers = true)]
    pub(crate) local_rank: Option<i64>,
}

/// How texts become rows of a batch, for the families of whole examples.
#[derive(Debug, Args)]
#[command(next_help_heading = "Features")]
pub(crate) struct SequenceArgs {
    /// Longest input sequence, in tokens; longer texts are cut [default: 128]
    #[arg(long, value_name = "TOKENS")]
    pub(crate) max_seq_length: Option<usize>,
    /// Says that the checkpoint is uncased. The casing is read from the checkpoint; a contradiction is
    /// refused
    #[arg(long)]
    pub(crate) do_lower_case: bool,
}

/// How examples are scored.
#[derive(Debug, Args)]
#[command(next_help_heading = "Evaluation")]
pub(crate) struct EvaluationArgs {
    /// Examples in an evaluation batch [default: 8 on the CPU, 64 on CUDA]
    #[arg(long, value_name = "EXAMPLES", alias = "predict-batch-size")]
    pub(crate) eval_batch_size: Option<usize>,
}

/// Reads a number of bytes with a unit.
fn byte_size(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 9] = [
        ("kib", 1 << 10),
        ("mib", 1 << 20),
        ("gib", 1 << 30),
        ("tib", 1 << 40),
        ("kb", 1_000),
        ("mb", 1_000_000),
        ("gb", 1_000_000_000),
        ("tb", 1_000_000_000_000),
        ("b", 1),
    ];
    let lower = text.trim().to_lowercase();
    let unit = UNITS.iter().find(|(unit, _)| lower.ends_with(unit));
    let (unit, bytes) = unit.unwrap_or(&("", 1));
    let number = lower[..lower.len() - unit.len()].trim().parse::<f64>();
    match number.map(|number| number * *bytes as f64) {
        Ok(size) if size >= 1.0 && size.is_finite() => Ok(size as u64),
        _ => Err(format!(
            "found {text:?}, expected a size in B, kB, MB, GB, TB, KiB, MiB, GiB or TiB, as 6GiB"
        )),
    }
}

/// `--schedule`
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum ScheduleArg {
    /// Falls to 0 on a line
    #[value(alias = "warmup_linear")]
    WarmupLinear,
    /// Stays at its peak
    #[value(alias = "warmup_constant")]
    Constant,
    /// Falls to 0 on half a cosine
    #[value(alias = "warmup_cosine")]
    Cosine,
}

/// `--grad-clip`
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum GradClipArg {
    /// Each tensor's norm
    Tensor,
    /// The norm of all gradients
    Global,
    /// No clipping
    None,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [
            ("6GiB", 6 << 30),
            ("1.5 GiB", 3 << 29),
            ("500MB", 500_000_000),
            ("12", 12),
            ("12B", 12),
            ("6 gib", 6 << 30),
            ("1TB", 1_000_000_000_000),
        ] {
            assert_eq!(byte_size(text), Ok(bytes), "{text}");
        }
        for text in ["", "GiB", "-1GiB", "0.5B", "nan", "infGB", "0", "6 qb"] {
            assert!(byte_size(text).is_err(), "{text}");
        }
    }
}
