//! The flags of the SQuAD commands: names, meaning and defaults of `run_squad.py` 0.4.

use std::path::PathBuf;

use clap::Args;

use crate::backend::DeviceChoice;

/// How contexts become windows.
#[derive(Debug, Args)]
#[command(next_help_heading = "Features")]
pub(crate) struct FeatureArgs {
    /// Longest input sequence, in tokens; longer contexts are cut into windows [default: 384]
    #[arg(long, value_name = "TOKENS")]
    pub(crate) max_seq_length: Option<usize>,
    /// Context tokens between the starts of consecutive windows, not their overlap [default: 128]
    #[arg(long, value_name = "TOKENS")]
    pub(crate) doc_stride: Option<usize>,
    /// Tokens of a question that are kept [default: 64]
    #[arg(long, value_name = "TOKENS")]
    pub(crate) max_query_length: Option<usize>,
    /// Says that the checkpoint is uncased. The casing is read from the checkpoint; a contradiction is
    /// refused
    #[arg(long)]
    pub(crate) do_lower_case: bool,
}

/// How logits become answers.
#[derive(Debug, Args)]
#[command(next_help_heading = "Prediction")]
pub(crate) struct PredictionArgs {
    /// Windows in a prediction batch [default: 8 on the CPU, 64 on CUDA]
    #[arg(long, value_name = "WINDOWS")]
    pub(crate) predict_batch_size: Option<usize>,
    /// Entries of each question's n-best list
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) n_best_size: usize,
    /// Longest answer, in tokens
    #[arg(long, value_name = "TOKENS", default_value_t = 30)]
    pub(crate) max_answer_length: usize,
    /// The data are SQuAD 2.0: some questions have no answer
    #[arg(long)]
    pub(crate) version_2_with_negative: bool,
    /// Predict "no answer" where its score is above the best answer's by more than this
    #[arg(
        long,
        value_name = "SCORE",
        default_value_t = 0.0,
        allow_negative_numbers = true
    )]
    pub(crate) null_score_diff_threshold: f32,
}

/// Where the command runs.
#[derive(Debug, Args)]
#[command(next_help_heading = "Device")]
pub(crate) struct DeviceArgs {
    /// cpu, cuda or cuda:N [default: cuda where it is compiled in, else cpu]
    #[arg(long, value_name = "DEVICE")]
    pub(crate) device: Option<DeviceChoice>,
    /// The same as --device cpu
    #[arg(long, conflicts_with = "device")]
    pub(crate) no_cuda: bool,
}

/// `bert train-squad`
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES
  bert train-squad
      trains a small BERT from scratch on bundled demo data and scores it, a few minutes on a CPU
  bert train-squad --bert-model DIR --train-file train-v1.1.json --predict-file dev-v1.1.json \\
      --train-batch-size 12 --learning-rate 3e-5 --num-train-epochs 2 --output-dir out/squad
      the published recipe for bert-base-uncased (EM 81, F1 88)")]
pub(crate) struct TrainSquadArgs {
    /// Folder of a checkpoint: config.json, vocab.txt or tokenizer.json, model.safetensors or
    /// pytorch_model.bin [default: the bundled small model]
    #[arg(long, value_name = "DIR")]
    pub(crate) bert_model: Option<PathBuf>,
    /// Draw all weights anew: only the checkpoint's config.json and vocabulary are used
    #[arg(long)]
    pub(crate) from_scratch: bool,
    /// SQuAD JSON to train on [default: the bundled demo data]
    #[arg(long, value_name = "FILE")]
    pub(crate) train_file: Option<PathBuf>,
    /// SQuAD JSON to answer after training; scored where it has answers
    #[arg(long, value_name = "FILE")]
    pub(crate) predict_file: Option<PathBuf>,
    /// Folder for the fine-tuned checkpoint, predictions and scores [default for the demo:
    /// out/squad-demo]
    #[arg(long, value_name = "DIR")]
    pub(crate) output_dir: Option<PathBuf>,
    /// Replace an earlier run's files in --output-dir
    #[arg(long)]
    pub(crate) overwrite_output_dir: bool,
    /// Train only, unless --do-predict is given too [default: what the files given allow]
    #[arg(long)]
    pub(crate) do_train: bool,
    /// Predict only, with --bert-model's trained head, unless --do-train is given too
    #[arg(long)]
    pub(crate) do_predict: bool,
    /// Resolve the settings, check every input, print the plan and exit
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Examples of one optimiser step [default: 32]
    #[arg(long, value_name = "EXAMPLES", help_heading = "Recipe")]
    pub(crate) train_batch_size: Option<usize>,
    /// Micro-batches of one optimiser step; divides --train-batch-size [default: 1]
    #[arg(long, value_name = "N", help_heading = "Recipe")]
    pub(crate) gradient_accumulation_steps: Option<usize>,
    /// Peak learning rate [default: 5e-5]
    #[arg(long, value_name = "RATE", help_heading = "Recipe")]
    pub(crate) learning_rate: Option<f64>,
    /// Passes over the training data; fractions work [default: 3]
    #[arg(long, value_name = "EPOCHS", help_heading = "Recipe")]
    pub(crate) num_train_epochs: Option<f64>,
    /// Share of the steps in which the learning rate rises from 0 [default: 0.1]
    #[arg(long, value_name = "SHARE", help_heading = "Recipe")]
    pub(crate) warmup_proportion: Option<f64>,
    /// How the learning rate moves after the warm-up
    #[arg(
        long,
        value_enum,
        default_value = "warmup-linear",
        help_heading = "Recipe"
    )]
    pub(crate) schedule: ScheduleArg,
    /// Which gradients are clipped: tensor (each tensor's norm, as the 2018 script), global (the norm of
    /// all, as Google's code) or none
    #[arg(long, value_enum, default_value = "tensor", help_heading = "Recipe")]
    pub(crate) grad_clip: GradClipArg,
    /// Norm above which gradients are clipped
    #[arg(
        long,
        value_name = "NORM",
        default_value_t = 1.0,
        help_heading = "Recipe"
    )]
    pub(crate) max_grad_norm: f64,
    /// Seed of the head, the data order and dropout
    #[arg(long, value_name = "N", default_value_t = 42, help_heading = "Recipe")]
    pub(crate) seed: u64,
    /// Train on the first so many questions of the file
    #[arg(long, value_name = "QUESTIONS", help_heading = "Recipe")]
    pub(crate) max_train_examples: Option<usize>,

    #[command(flatten)]
    pub(crate) features: FeatureArgs,
    #[command(flatten)]
    pub(crate) prediction: PredictionArgs,
    #[command(flatten)]
    pub(crate) device: DeviceArgs,
    /// Keep the optimiser's moments and master weights in host memory and update them there, which
    /// leaves the device 8 bytes a parameter
    #[arg(long, help_heading = "Device")]
    pub(crate) optimize_on_cpu: bool,
    /// Pad every batch to --max-seq-length, as the 2018 script does
    #[arg(long, help_heading = "Device")]
    pub(crate) pad_to_max_length: bool,
    /// Batches are padded to their longest row, rounded up to a multiple of so many tokens
    #[arg(
        long,
        value_name = "TOKENS",
        default_value_t = 16,
        help_heading = "Device"
    )]
    pub(crate) pad_to_multiple_of: usize,
    /// Log more
    #[arg(long)]
    pub(crate) verbose_logging: bool,

    /// Not supported: refused
    #[arg(long, hide = true)]
    pub(crate) fp16: bool,
    /// Not supported: refused
    #[arg(long, hide = true)]
    pub(crate) loss_scale: Option<f64>,
    /// Not supported but for -1, one process
    #[arg(long, hide = true, allow_negative_numbers = true)]
    pub(crate) local_rank: Option<i64>,
    /// Where the bundled data are
    #[arg(long, hide = true, env = "BERT_DEMO_DIR", default_value = "data/demo")]
    pub(crate) demo_dir: PathBuf,
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

/// `bert predict-squad`
#[derive(Debug, Args)]
pub(crate) struct PredictSquadArgs {
    /// Folder of a fine-tuned question-answering checkpoint, ours or `transformers`'
    #[arg(long, value_name = "DIR", alias = "bert-model")]
    pub(crate) model: PathBuf,
    /// SQuAD JSON whose questions are answered; scored where it has answers
    #[arg(long, value_name = "FILE", alias = "data")]
    pub(crate) predict_file: PathBuf,
    /// Folder for predictions.json, nbest_predictions.json and the scores
    #[arg(long, value_name = "DIR")]
    pub(crate) output_dir: PathBuf,
    #[command(flatten)]
    pub(crate) features: FeatureArgs,
    #[command(flatten)]
    pub(crate) prediction: PredictionArgs,
    #[command(flatten)]
    pub(crate) device: DeviceArgs,
    /// Log more
    #[arg(long)]
    pub(crate) verbose_logging: bool,
}

/// `bert evaluate-squad`
#[derive(Debug, Args)]
pub(crate) struct EvaluateSquadArgs {
    /// SQuAD JSON with the answers; its version says which metrics apply
    #[arg(long, value_name = "FILE", alias = "predict-file")]
    pub(crate) data: PathBuf,
    /// JSON object of question id to predicted text
    #[arg(long, value_name = "FILE")]
    pub(crate) predictions: PathBuf,
}

/// `bert features-squad`
#[derive(Debug, Args)]
pub(crate) struct FeaturesSquadArgs {
    /// Folder with vocab.txt or tokenizer.json
    #[arg(long, value_name = "DIR", alias = "model")]
    pub(crate) bert_model: PathBuf,
    /// SQuAD JSON to convert
    #[arg(
        long,
        value_name = "FILE",
        alias = "predict-file",
        alias = "train-file"
    )]
    pub(crate) data: PathBuf,
    /// Keep only windows that contain the whole answer and give its token positions
    #[arg(long)]
    pub(crate) training: bool,
    #[command(flatten)]
    pub(crate) features: FeatureArgs,
}
