//! `train-squad`: a checkpoint and a SQuAD file to a fine-tuned checkpoint, predictions and scores.

use bert_finetune::{plan, prepare, timed};
use bert_tasks::squad::Squad;

use super::results;
use crate::args::TrainSquadArgs;
use crate::progress::Terminal;
use crate::resolve::squad::train_squad;
use crate::terminal;

/// Trains, predicts and scores, as far as the settings ask for it.
///
/// # Errors
/// When an input is bad, training fails, or an output cannot be written.
pub(crate) fn run(args: &TrainSquadArgs) -> anyhow::Result<()> {
    let settings = train_squad(args)?;
    let (family, seconds) = timed(|| Squad::read(&settings.run.source(), &settings.own))?;
    if args.run.dry_run {
        let prepared = prepare(&family, &settings, seconds, true)?;
        return results::print_plan(&plan(&prepared)?);
    }
    match bert_finetune::run(&family, &settings, seconds, &Terminal)?.as_slice() {
        outcomes if terminal::json() => results::print_json(outcomes)?,
        [outcome] => results::print_table(&outcome.table)?,
        outcomes => results::print_seeds(outcomes)?,
    }
    Ok(())
}
