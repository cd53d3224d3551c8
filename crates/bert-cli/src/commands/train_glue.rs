//! `train-glue`: a checkpoint and labelled texts to a fine-tuned checkpoint, predictions and scores, for one
//! task or all of them.

use bert_finetune::{plan, train, train_tasks};

use super::results;
use crate::args::{TrainGlueArgs, TrainTaskArg};
use crate::progress::Terminal;
use crate::resolve::glue::train_glue;

/// Trains, predicts and scores, as far as the files allow.
///
/// # Errors
/// When an input is bad, training fails, or an output cannot be written.
pub(crate) fn run(args: &TrainGlueArgs) -> anyhow::Result<()> {
    let tasks = train_glue(args)?;
    if args.training.run.dry_run {
        let mut plans = tasks.iter().map(|(settings, _)| plan(settings));
        return plans.try_for_each(|plan| results::print_plan(&plan?));
    }
    match (args.task, tasks.as_slice()) {
        (TrainTaskArg::One(_), [(settings, _)]) => {
            results::print(settings, &train(settings, &Terminal)?)
        }
        _ => results::print_tasks(&train_tasks(&tasks, &Terminal)?),
    }
}
