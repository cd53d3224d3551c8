//! `train-swag`: a checkpoint and choices to a fine-tuned checkpoint, predictions and scores.

use bert_finetune::{plan, train};

use super::results;
use crate::args::TrainSwagArgs;
use crate::progress::Terminal;
use crate::resolve::swag::train_swag;

/// Trains, predicts and scores, as far as the files allow.
///
/// # Errors
/// When an input is bad, training fails, or an output cannot be written.
pub(crate) fn run(args: &TrainSwagArgs) -> anyhow::Result<()> {
    let settings = train_swag(args)?;
    if args.training.run.dry_run {
        return results::print_plan(&plan(&settings)?);
    }
    results::print(&settings, &train(&settings, &Terminal)?)
}
