//! `train-glue`: a checkpoint and labelled texts to a fine-tuned checkpoint, predictions and scores, for one
//! task or all of them.

use bert_finetune::{
    check_begins, check_memory, execute, hold, plan, prepare, timed, write_task_summary,
};
use bert_tasks::glue::TextClasses;
use tracing::info;

use super::results;
use crate::args::{TrainGlueArgs, TrainTaskArg};
use crate::progress::Terminal;
use crate::resolve::glue::train_glue;

/// Trains, predicts and scores, as far as the files allow.
///
/// # Errors
/// When an input is bad, training fails, or an output cannot be written.
pub(crate) fn run(args: &TrainGlueArgs) -> anyhow::Result<()> {
    let settings = train_glue(args)?;
    // Every task's files are read, and every folder looked at, before the first is trained: a bad one is known at
    // once.
    let families = settings
        .iter()
        .map(|settings| timed(|| TextClasses::read(&settings.run.source(), &settings.own)))
        .collect::<Result<Vec<_>, _>>()?;
    let all = args.task == TrainTaskArg::All;
    let commands = families
        .iter()
        .zip(&settings)
        .map(|((family, seconds), settings)| prepare(family, settings, *seconds, !all))
        .collect::<Result<Vec<_>, _>>()?;
    let anew = check_begins(&commands)?;
    check_memory(&commands)?;
    if args.run.dry_run {
        return commands
            .iter()
            .try_for_each(|command| results::print_plan(&plan(command)?));
    }
    let summary_dir = settings.first().and_then(|s| s.run.output_dir.parent());
    let _folder = match (summary_dir, settings.first()) {
        (Some(dir), Some(first)) if all => Some(hold::<TextClasses>(dir, &first.run, anew)?),
        _ => None,
    };
    let mut tasks = Vec::new();
    for (n, command) in commands.iter().enumerate() {
        let task = settings[n].own.task;
        if all {
            info!("{task} ({} of {})", n + 1, commands.len());
        }
        tasks.push((task.to_string(), execute(command, anew, &Terminal)?));
        // After each task, so that a later one that fails takes none of it away; with those that were finished before.
        if let Some(dir) = summary_dir.filter(|_| all) {
            let later = commands.iter().zip(&settings).skip(n + 1);
            let finished = later.filter(|_| !anew).filter_map(|(command, settings)| {
                Some((settings.own.task.to_string(), command.finished()?))
            });
            let so_far: Vec<_> = tasks.iter().cloned().chain(finished).collect();
            write_task_summary(dir, &so_far)?;
        }
    }
    if let (false, [(_, outcomes)]) = (all, tasks.as_slice()) {
        return results::print(outcomes);
    }
    results::print_tasks(&tasks)
}
