//! The flags of `bench-train` and `bench-predict`: those of the PyTorch scripts that they are compared with.

use std::path::PathBuf;

use clap::Args;

use super::run::DeviceArgs;

/// Times training steps on random weights.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES
  bert bench-train --model minilm --workload swag --steps 6
      the time of a training step on random weights")]
pub(crate) struct BenchTrainArgs {
    /// Shape of the model
    #[arg(long, value_enum, default_value = "base")]
    pub(crate) model: ModelShape,
    /// squad: windows of 384 tokens; swag: 16 choices of 4 x 80 tokens in 4 micro-batches; lengths: windows of
    /// the lengths in --lengths, padded to 384 and then grouped by length
    #[arg(long, value_enum, default_value = "squad")]
    pub(crate) workload: Workload,
    /// Timed steps
    #[arg(long, value_name = "STEPS", default_value_t = 20)]
    pub(crate) steps: usize,
    /// Steps before them, which compile and tune kernels and fill caches
    #[arg(long, value_name = "STEPS", default_value_t = 3)]
    pub(crate) warmup: usize,
    /// Windows of a step, for squad and lengths [default: 12]
    #[arg(long, value_name = "WINDOWS")]
    pub(crate) batch: Option<usize>,
    /// Tokens of a window, for squad [default: 384]
    #[arg(long, value_name = "TOKENS")]
    pub(crate) seq_length: Option<usize>,
    /// A file with one window's length a line, for lengths
    #[arg(long, value_name = "FILE")]
    pub(crate) lengths: Option<PathBuf>,
    /// A command to compare with, run by the shell after ours; its last line of output is a JSON object with the
    /// same fields
    #[arg(long, value_name = "COMMAND")]
    pub(crate) against: Option<String>,
    /// How often both are run, in turn; the medians are printed
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) rounds: usize,
    /// Keep the optimiser's moments and master weights in host memory
    #[arg(long)]
    pub(crate) optimize_on_cpu: bool,
    /// Compute layers again in the backward pass
    #[arg(long)]
    pub(crate) gradient_checkpointing: bool,
    #[command(flatten)]
    pub(crate) device: DeviceArgs,
}

/// Times predictions for windows of given lengths on random weights.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES
  bert bench-predict --model minilm --lengths LENGTHS.txt
      windows a second, as predict-squad computes them: the longest first, a batch on each core")]
pub(crate) struct BenchPredictArgs {
    /// Shape of the model
    #[arg(long, value_enum, default_value = "base")]
    pub(crate) model: ModelShape,
    /// A file with one window's length in tokens a line; those over 384 are cut
    #[arg(long, value_name = "FILE")]
    pub(crate) lengths: PathBuf,
    /// Windows, of lengths drawn from the file
    #[arg(long, value_name = "WINDOWS", default_value_t = 600)]
    pub(crate) windows: usize,
    /// Windows of a batch
    #[arg(long, value_name = "WINDOWS", default_value_t = 8)]
    pub(crate) batch: usize,
    /// How often all windows are scored; the median speed is printed
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(crate) passes: usize,
    /// A command to compare with, run by the shell after ours; its last line of output is a JSON object with
    /// `windows_per_s`
    #[arg(long, value_name = "COMMAND")]
    pub(crate) against: Option<String>,
    /// How often both are run, in turn; the medians are printed
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) rounds: usize,
    #[command(flatten)]
    pub(crate) device: DeviceArgs,
}

/// `--model`
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum ModelShape {
    /// 2 layers, 128 wide
    Tiny,
    /// 6 layers, 384 wide
    Minilm,
    /// 12 layers, 768 wide
    Base,
    /// 24 layers, 1,024 wide
    Large,
}

impl ModelShape {
    /// Its name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tiny => "tiny",
            Self::Minilm => "minilm",
            Self::Base => "base",
            Self::Large => "large",
        }
    }
}

/// `--workload`
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Workload {
    /// Windows of one length
    Squad,
    /// Four-way choices in micro-batches
    Swag,
    /// Windows of real lengths
    Lengths,
}
