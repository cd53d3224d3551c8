//! `train-glue`: a checkpoint and labelled texts to a fine-tuned checkpoint, predictions and scores, for one
//! task or all of them.

use std::collections::BTreeMap;
use std::io::Write;
use std::marker::PhantomData;
use std::path::Path;

use bert_model::heads::BertForSequenceClassification;
use bert_report::write_json;
use serde_json::{Value, json};
use tracing::info;

use super::classification::Classification;
use super::family::RunOutcome;
use super::prepare::{check_begins, prepare};
use super::training;
use super::{checkpoint, glue_data, glue_labels, seeds};
use crate::args::{TrainGlueArgs, TrainTaskArg};
use crate::resolve::Settings;
use crate::resolve::glue::{GlueSettings, train_glue};
use crate::terminal;

type Family = Classification<BertForSequenceClassification>;

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
        .map(|settings| training::timed(|| read(settings)))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let all = args.task == TrainTaskArg::All;
    let commands = families
        .iter()
        .zip(&settings)
        .map(|((family, seconds), settings)| prepare(family, settings, *seconds, !all))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let anew = check_begins(&commands)?;
    training::check_memory(&commands)?;
    let summary_dir = settings.first().and_then(|s| s.run.output_dir.parent());
    let _folder = match (summary_dir, settings.first()) {
        (Some(dir), Some(first)) if all && !args.run.dry_run => {
            Some(training::hold::<Family>(dir, &first.run, anew)?)
        }
        _ => None,
    };
    let mut tasks = Vec::new();
    for (n, command) in commands.iter().enumerate() {
        let task = settings[n].own.task;
        if all {
            info!("{task} ({} of {})", n + 1, commands.len());
        }
        tasks.push((task.to_string(), training::execute(command, anew)?));
        // After each task, so that a later one that fails takes none of it away; with those that were finished before.
        if let Some(dir) = summary_dir.filter(|_| all)
            && !args.run.dry_run
        {
            let later = commands.iter().zip(&settings).skip(n + 1);
            let finished = later.filter(|_| !anew).filter_map(|(command, settings)| {
                Some((settings.own.task.to_string(), command.finished()?))
            });
            let so_far: Vec<_> = tasks.iter().cloned().chain(finished).collect();
            write_summary(dir, &so_far)?;
        }
    }
    if let (false, [(_, outcomes)]) = (all, tasks.as_slice()) {
        return training::print(outcomes);
    }
    if args.run.dry_run {
        return Ok(());
    }
    print_tasks(&tasks)
}

/// Writes `glue_results.json`: every task's results by seed.
fn write_summary(dir: &Path, tasks: &[(String, Vec<RunOutcome>)]) -> anyhow::Result<()> {
    let of_runs = |outcomes: &[RunOutcome]| -> Value {
        let by_seed: BTreeMap<String, Value> = outcomes
            .iter()
            .map(|outcome| (outcome.seed.to_string(), json!(outcome.results)))
            .collect();
        json!(by_seed)
    };
    let by_task: BTreeMap<&str, Value> = tasks
        .iter()
        .map(|(task, outcomes)| (task.as_str(), of_runs(outcomes)))
        .collect();
    write_json(&dir.join("glue_results.json"), &by_task)?;
    Ok(())
}

/// Prints one line a task: its official scores, over the seeds where there are several.
fn print_tasks(tasks: &[(String, Vec<RunOutcome>)]) -> anyhow::Result<()> {
    if terminal::json() {
        for (task, outcomes) in tasks {
            for outcome in outcomes {
                let line = json!({"task": task, "seed": outcome.seed, "results": outcome.results});
                terminal::line(&line.to_string())?;
            }
        }
        return Ok(());
    }
    let mut out = std::io::stdout().lock();
    for (task, outcomes) in tasks {
        write!(out, "{task:<6}")?;
        let scores = outcomes.first().map_or(&[][..], |o| o.table.last());
        for (n, score) in scores.iter().enumerate() {
            let value = seeds::summary_cell(outcomes, n);
            write!(out, "  {:>10} {value:<14}", score.name)?;
        }
        let degenerate = outcomes
            .iter()
            .filter_map(|o| o.degenerate.as_ref())
            .count();
        if degenerate > 0 {
            write!(out, "  {degenerate} of {} runs degenerate", outcomes.len())?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn read(settings: &Settings<GlueSettings>) -> anyhow::Result<Family> {
    let Settings { run, own } = settings;
    let GlueSettings { task, files, .. } = own;
    let (dir, length) = (&run.bert_model, own.max_seq_length);
    let (mut config, tokenizer) = checkpoint::read(dir, run.do_lower_case, length)?;
    let (training, outputs) = match &files.train {
        Some(path) => {
            let most = run.max_train_examples;
            let (training, outputs) = glue_data::training(*task, path, &tokenizer, length, most)?;
            (Some(training), outputs)
        }
        None => (None, glue_labels::of_model(&config, *task, dir)?),
    };
    let evaluations = glue_data::eval_sets(*task, files, &tokenizer, length, &outputs)?;
    let labels = outputs.label_list();
    let other_labels = labels.as_ref() != Some(&config.label_list())
        || glue_labels::other_task(&config, *task).is_some();
    if training.is_some()
        && let Some(labels) = labels
    {
        config.set_label_list(&labels);
        config.set_finetuning_task(&task.to_string());
    }
    Ok(Classification {
        config,
        tokenizer,
        training,
        evaluations,
        outputs,
        metric: glue_data::metric(*task),
        other_labels,
        eval_batch_size: own.eval_batch_size,
        model: PhantomData,
    })
}
