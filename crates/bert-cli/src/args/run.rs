//! The flags that every training command has. Those of the library's settings are documented, and have their defaults,
//! in the library.

use std::path::PathBuf;

use bert_backend::DeviceChoice;
use bert_finetune::{EvaluationSchedule, Execution, Recipe, Saving};
use bert_model::Precision;
use clap::Args;

/// The flags of every training.
#[derive(Debug, Args)]
pub(crate) struct TrainingArgs {
    #[command(flatten)]
    pub(crate) run: RunArgs,
    #[command(flatten)]
    pub(crate) recipe: Recipe,
    #[command(flatten)]
    pub(crate) saving: Saving,
    #[command(flatten)]
    pub(crate) evaluation: EvaluationSchedule,
    #[command(flatten)]
    pub(crate) device: DeviceArgs,
    #[command(flatten)]
    pub(crate) execution: Execution,
    #[command(flatten)]
    pub(crate) refused: RefusedArgs,
}

/// Which model is trained, from which settings, and into which folder.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Checkpoint to start from: a name on the Hugging Face hub, or a folder with config.json, vocab.txt or
    /// tokenizer.json, and model.safetensors or pytorch_model.bin [default: the bundled small model]
    #[arg(long, value_name = "DIR|NAME")]
    pub(crate) bert_model: Option<PathBuf>,
    /// Settings by name: demo, or those that `bert recipes` lists; flags override them
    #[arg(long = "recipe", id = "recipe", value_name = "NAME")]
    pub(crate) recipe_name: Option<String>,
    /// Settings from a file: TOML whose keys are flags, or the run.json of an earlier run; flags override them
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Draw all weights at random: only the checkpoint's config.json and vocabulary are used
    #[arg(long)]
    pub(crate) from_scratch: bool,
    /// Folder for the fine-tuned checkpoint, predictions and scores [default for the demo: a folder
    /// under out]
    #[arg(long, value_name = "DIR")]
    pub(crate) output_dir: Option<PathBuf>,
    /// Replace an earlier run's files in --output-dir
    #[arg(long)]
    pub(crate) overwrite_output_dir: bool,
    /// Require an earlier run in --output-dir: one that was stopped is resumed, as it is without this flag, and a
    /// finished one prints its results
    #[arg(long, conflicts_with = "overwrite_output_dir")]
    pub(crate) resume: bool,
    /// Check every setting and input, print the plan and exit
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Log details
    #[arg(long)]
    pub(crate) verbose_logging: bool,
    /// Seed of the head, the data order and dropout
    #[arg(long, value_name = "N", default_value_t = 42, help_heading = "Recipe")]
    pub(crate) seed: u64,
    /// Train once with each of these seeds, each into a folder of its own, and print the mean and the
    /// standard deviation of the scores
    #[arg(
        long,
        value_name = "N,N…",
        value_delimiter = ',',
        conflicts_with = "seed",
        help_heading = "Recipe"
    )]
    pub(crate) seeds: Vec<u64>,
    /// With --seeds: for each seed whose model is no better than the most frequent class, train once more with another
    /// seed. The mean is over the runs that then count; all are reported
    #[arg(long, help_heading = "Recipe")]
    pub(crate) retry_failed_seeds: bool,
    /// Train on the first N examples (questions) of the file only
    #[arg(long, value_name = "N", help_heading = "Recipe")]
    pub(crate) max_train_examples: Option<usize>,
    /// Hold out this share of the training file as development set, by the seed: of each class its share, of SQuAD whole
    /// passages
    #[arg(
        long,
        value_name = "SHARE",
        allow_negative_numbers = true,
        help_heading = "Recipe"
    )]
    pub(crate) validation_split: Option<f64>,
    /// Score the first N examples (questions) of each development file only
    #[arg(long, value_name = "N", help_heading = "Recipe")]
    pub(crate) max_eval_examples: Option<usize>,
    /// The demo's model, whose weights are drawn at random if it has none
    #[arg(long, value_name = "DIR", hide = true, conflicts_with = "bert_model")]
    pub(crate) demo_model: Option<PathBuf>,
    /// The demo's folder, in which a finished run is replaced
    #[arg(long, value_name = "DIR", hide = true, conflicts_with = "output_dir")]
    pub(crate) demo_output_dir: Option<PathBuf>,
}

/// Flags of the 2018 scripts that are refused with a line that says what to use.
#[derive(Debug, Args)]
pub(crate) struct RefusedArgs {
    #[arg(long, hide = true)]
    pub(crate) fp16: bool,
    #[arg(long, hide = true)]
    pub(crate) loss_scale: Option<f64>,
    #[arg(long, hide = true, allow_negative_numbers = true)]
    pub(crate) local_rank: Option<i64>,
}

/// Where a command runs.
#[derive(Debug, Args)]
#[command(next_help_heading = "Device")]
pub(crate) struct DeviceArgs {
    /// cpu, cuda or cuda:N, wgpu or wgpu:N (any GPU, through Vulkan, Metal or DirectX 12) [default: cuda where it is
    /// compiled in and finds a GPU, else wgpu likewise, else cpu]
    #[arg(long, value_name = "DEVICE")]
    pub(crate) device: Option<DeviceChoice>,
    /// The same as --device cpu
    #[arg(long, conflicts_with = "device")]
    pub(crate) no_cuda: bool,
    /// Arithmetic of matrix products: fp32 (the CPU and wgpu), tf32 (CUDA) or bf16 (CUDA, and processors with
    /// AVX512-BF16); weights, optimiser, softmax and losses are in 32 bits with each [default: tf32 on CUDA, else fp32]
    #[arg(long, value_enum)]
    pub(crate) precision: Option<Precision>,
}

/// How texts become rows of a batch, for the tasks of whole examples.
#[derive(Debug, Args)]
#[command(next_help_heading = "Features")]
pub(crate) struct SequenceArgs {
    /// Longest input sequence, in tokens; longer texts are cut
    #[arg(long, value_name = "TOKENS", default_value_t = bert_features::glue::DEFAULT_MAX_SEQ_LENGTH)]
    pub(crate) max_seq_length: usize,
    #[command(flatten)]
    pub(crate) casing: CasingArgs,
}

/// The same where a trained model is used.
#[derive(Debug, Args)]
#[command(next_help_heading = "Features")]
pub(crate) struct TrainedSequenceArgs {
    /// Longest input sequence, in tokens; longer texts are cut [default: that of the model's training, else 128, or what
    /// the model can read]
    #[arg(long, value_name = "TOKENS")]
    pub(crate) max_seq_length: Option<usize>,
    #[command(flatten)]
    pub(crate) casing: CasingArgs,
}

/// What the user says of the checkpoint's casing.
#[derive(Debug, Args)]
pub(crate) struct CasingArgs {
    /// States that the checkpoint is uncased. The casing is read from the checkpoint; a contradiction is
    /// refused
    #[arg(long, help_heading = "Features")]
    pub(crate) do_lower_case: bool,
}

/// How examples are scored.
#[derive(Debug, Args)]
#[command(next_help_heading = "Evaluation")]
pub(crate) struct EvaluationArgs {
    /// Examples in an evaluation batch [default: 8 on the CPU, 16 on
    /// wgpu, 64 on CUDA]
    #[arg(long, value_name = "EXAMPLES", alias = "predict-batch-size")]
    pub(crate) eval_batch_size: Option<usize>,
}
