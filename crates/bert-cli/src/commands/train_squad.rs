//! `train-squad`: a checkpoint and a SQuAD file to a fine-tuned checkpoint, predictions and scores.

use bert_finetune::{plan, train};

use super::results;
use crate::args::TrainSquadArgs;
use crate::progress::Terminal;
use crate::resolve::squad::train_squad;

/// Trains, predicts and scores, as far as the files allow.
///
/// # Errors
/// When an input is bad, training fails, or an output cannot be written.
pub(crate) fn run(args: &TrainSquadArgs) -> anyhow::Result<()> {
    let settings = train_squad(args)?;
    if args.training.run.dry_run {
        return results::print_plan(&plan(&settings)?);
    }
    results::print(&settings, &train(&settings, &Terminal)?)
}
