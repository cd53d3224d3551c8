//! `train-swag`: a checkpoint and choices to a fine-tuned checkpoint, predictions and scores.

use bert_finetune::{plan, prepare, timed};
use bert_tasks::swag::Choices;

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
    let (family, seconds) = timed(|| Choices::read(&settings.run.source(), &settings.own))?;
    if args.run.dry_run {
        let prepared = prepare(&family, &settings, seconds, true)?;
        return results::print_plan(&plan(&prepared)?);
    }
    results::print(&bert_finetune::run(&family, &settings, seconds, &Terminal)?)
}
