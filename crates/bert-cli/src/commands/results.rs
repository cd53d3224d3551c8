//! What runs came to, on stdout.

use std::io::{self, Write};

use bert_finetune::{
    Plan, RunOutcome, ScoreTable, Settings, TaskOutcome, TaskSettings, summary_cell,
};
use serde_json::json;
use tracing::info;

use crate::exit::with_flags;
use crate::{processes, spellings, terminal};

/// Prints what a command came to, the scores of one run's models or of several seeds, and logs how to ask the model.
///
/// # Errors
/// When stdout is closed.
pub(super) fn print(settings: &Settings, outcomes: &[RunOutcome]) -> anyhow::Result<()> {
    if !processes::leads() {
        return Ok(());
    }
    if terminal::json() {
        return print_json(outcomes);
    }
    match outcomes {
        [outcome] => print_table(&outcome.table)?,
        outcomes => print_seeds(outcomes)?,
    }
    if let Some(model) = model_of(settings, outcomes) {
        info!("try it: {}", example(settings, &model));
    }
    Ok(())
}

/// The folder of the first model that was trained.
fn model_of(settings: &Settings, outcomes: &[RunOutcome]) -> Option<String> {
    let run = &settings.run;
    let dir = match outcomes {
        _ if !run.trains => return None,
        [outcome, _, ..] => run.output_dir.join(format!("seed-{}", outcome.seed)),
        _ => run.output_dir.clone(),
    };
    Some(dir.display().to_string())
}

/// A command that asks a model.
fn example(settings: &Settings, model: &str) -> String {
    match &settings.task {
        TaskSettings::TrainSquad(_) => {
            format!("bert ask --model {model} --context TEXT.txt \"Who wrote it?\"")
        }
        TaskSettings::TrainSwag(_) => {
            format!(
                "bert choose --model {model} --text \"She opens the hood.\" ENDING ENDING ENDING ENDING"
            )
        }
        TaskSettings::TrainGlue(glue) if glue.task.is_pair() => {
            format!("bert classify --model {model} \"a text\" --pair \"another text\"")
        }
        TaskSettings::TrainGlue(_) => format!("bert classify --model {model} \"a text\""),
    }
}

/// Prints the scores of each model in a row.
///
/// # Errors
/// When stdout is closed.
pub(super) fn print_table(table: &ScoreTable) -> io::Result<()> {
    let Some((_, first)) = table.rows().first() else {
        return Ok(());
    };
    let mut out = io::stdout().lock();
    let names = first.iter().map(|score| format!("{:>12}", score.name));
    writeln!(out, "{:<12}{}", "", names.collect::<String>())?;
    for (name, scores) in table.rows() {
        let cells = scores.iter().map(|score| format!("{:>12}", score.cell()));
        writeln!(out, "{name:<12}{}", cells.collect::<String>())?;
    }
    Ok(())
}

/// Prints a line of JSON for each run: its seed, and its results by key.
///
/// # Errors
/// When stdout is closed.
pub(super) fn print_json(outcomes: &[RunOutcome]) -> anyhow::Result<()> {
    for outcome in outcomes {
        let line = json!({"seed": outcome.seed, "results": outcome.results});
        terminal::line(&line.to_string())?;
    }
    Ok(())
}

/// Prints a row for each seed, and mean ± standard deviation; runs that learnt nothing are marked.
///
/// # Errors
/// When stdout is closed.
pub(super) fn print_seeds(outcomes: &[RunOutcome]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let mut tables = outcomes.iter().map(|outcome| outcome.table.last());
    let scores = tables.find(|scores| !scores.is_empty()).unwrap_or(&[]);
    let names: String = scores
        .iter()
        .map(|score| format!("{:>16}", score.name))
        .collect();
    writeln!(out, "{:<12}{names}", "seed")?;
    for outcome in outcomes {
        let scores = outcome.table.last().iter();
        let scores: String = scores
            .map(|score| format!("{:>16}", score.cell()))
            .collect();
        let retried = outcome.retry_of.map(|seed| format!("  in place of {seed}"));
        let degenerate = outcome.degenerate.as_ref();
        let degenerate = degenerate.map(|reason| format!("  degenerate: {}", with_flags(reason)));
        let mark = retried.into_iter().chain(degenerate).collect::<String>();
        writeln!(out, "{:<12}{scores}{mark}", outcome.seed)?;
    }
    let summary: String = (0..scores.len())
        .map(|score| format!("{:>16}", summary_cell(outcomes, score)))
        .collect();
    writeln!(out, "{:<12}{summary}", "mean ± sd")
}

/// Prints one line a task: its official scores, over the seeds where there are several.
///
/// # Errors
/// When stdout is closed.
pub(super) fn print_tasks(tasks: &[TaskOutcome]) -> anyhow::Result<()> {
    if !processes::leads() {
        return Ok(());
    }
    if terminal::json() {
        for (task, outcomes) in tasks {
            for outcome in outcomes {
                let line = json!({"task": task, "seed": outcome.seed, "results": outcome.results});
                terminal::line(&line.to_string())?;
            }
        }
        return Ok(());
    }
    let mut out = io::stdout().lock();
    for (task, outcomes) in tasks {
        write!(out, "{:<6}", task.to_string())?;
        let scores = outcomes.first().map_or(&[][..], |o| o.table.last());
        for (n, score) in scores.iter().enumerate() {
            let value = summary_cell(outcomes, n);
            write!(out, "  {:>10} {value:<14}", score.name)?;
        }
        let degenerate = outcomes.iter().filter(|o| o.degenerate.is_some()).count();
        if degenerate > 0 {
            write!(out, "  {degenerate} of {} runs degenerate", outcomes.len())?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Prints what a command would do.
///
/// # Errors
/// When stdout is closed.
pub(super) fn print_plan(plan: &Plan) -> anyhow::Result<()> {
    if !processes::leads() {
        return Ok(());
    }
    if terminal::json() {
        let mut plan = serde_json::to_value(plan)?;
        if !spellings::decisions().is_empty() {
            plan["as_transformers"] = json!(spellings::decisions());
        }
        writeln!(io::stdout(), "{plan}")?;
        return Ok(());
    }
    let run = &plan.settings.run;
    let mut out = io::stdout().lock();
    writeln!(out, "{}", plan.settings.command())?;
    writeln!(out, "  model          {}", run.bert_model.display())?;
    for (file, count) in plan.files() {
        writeln!(out, "  {file}  {count}")?;
    }
    if let (Some(epoch), Some(total)) = (plan.steps_per_epoch, plan.total_steps) {
        let recipe = run.recipe;
        writeln!(
            out,
            "  recipe         {total} steps of {} ({epoch} an epoch), learning rate {:e}, seeds {}",
            recipe.train_batch_size,
            recipe.learning_rate,
            plan.seeds
                .iter()
                .map(u64::to_string)
                .collect::<Vec<_>>()
                .join(", ")
        )?;
    }
    writeln!(
        out,
        "  device         {}, {}",
        run.compute.device, run.compute.precision
    )?;
    if let Some(memory) = &plan.memory_bytes {
        let available = memory
            .available
            .map_or_else(String::new, |bytes| format!(" of {} MiB", bytes >> 20));
        writeln!(
            out,
            "  memory         about {} MiB{available}",
            memory.total >> 20
        )?;
    }
    writeln!(out, "  output folder  {}", run.output_dir.display())?;
    for (n, decision) in spellings::decisions().iter().enumerate() {
        let name = if n == 0 { "transformers" } else { "" };
        writeln!(out, "  {name:<13}  {decision}")?;
    }
    writeln!(out, "Every setting: --dry-run --json")?;
    Ok(())
}
