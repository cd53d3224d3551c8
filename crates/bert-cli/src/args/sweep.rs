//! The flags of `bert sweep`.

use std::ffi::OsString;

use clap::Args;

/// `bert sweep`
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES
  bert sweep train-glue --task mrpc --bert-model bert-base-uncased --data-dir glue_data/MRPC \\
      --learning-rate 1e-5,2e-5,5e-5 --train-batch-size 16,32 --seeds 1,2,3 --output-dir out/mrpc-sweep
      18 runs in 6 folders, and one table; the same command goes on where it was stopped
  bert sweep --random 12 --halving 3 train-glue --task rte --bert-model bert-base-uncased --data-dir glue_data/RTE \\
      --learning-rate 5e-6..1e-4 --warmup-proportion 0,0.1 --num-train-epochs 9 --output-dir out/rte-sweep
      12 configurations for an epoch, the best 4 of them for 3, the best one for 9")]
pub(crate) struct SweepArgs {
    /// Draw N configurations at random, in place of every combination of the values; a number may then have a range,
    /// LOW..HIGH, evenly on a logarithmic scale where LOW is above 0
    #[arg(long, value_name = "N")]
    pub(crate) random: Option<usize>,
    /// Seed of what --random draws; a larger N adds to what a smaller one has drawn
    #[arg(long, value_name = "N", default_value_t = 42, requires = "random")]
    pub(crate) random_seed: u64,
    /// Successive halving: train all configurations in a small part of the steps, the best of N for N times as long, and so
    /// on, until one is trained in full. Each of these trainings begins anew, with a whole schedule
    #[arg(long, value_name = "N")]
    pub(crate) halving: Option<usize>,
    /// train-squad, train-swag or train-glue with its flags. A flag with several values, commas between them, is varied;
    /// one whose value may hold a comma, as a path or --freeze, is varied by giving it several times
    #[arg(
        value_name = "TRAINING",
        required = true,
        num_args = 1..,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub(crate) training: Vec<OsString>,
}

impl SweepArgs {
    /// Whether the training has a switch.
    pub(crate) fn has(&self, switch: &str) -> bool {
        self.training.iter().any(|word| word == switch)
    }
}
