//! Several tasks, each into a folder of its own.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use bert_records::write_json;
use bert_tasks::TaskError;
use bert_tasks::glue::{GlueSettings, TextClasses, TextTask};
use serde_json::{Value, json};
use tracing::info;

use crate::execute::{Manner, check_memory, execute, hold};
use crate::prepare::{Before, check_begins, prepare};
use crate::{FinetuneError, Program, RunOutcome, Settings};

/// A task of several, and what its runs came to.
pub type TaskOutcome = (TextTask, Vec<RunOutcome>);

/// Trains several tasks of texts one after the other, each into a folder of its own below one folder, in which
/// `glue_results.json` holds the results of all. Every file is read, and every folder looked at, before the first task is
/// trained.
///
/// # Errors
/// When an input is bad, training fails, or an output cannot be written.
pub fn train_tasks(
    tasks: &[(Settings, GlueSettings)],
    program: &dyn Program,
) -> Result<Vec<TaskOutcome>, FinetuneError> {
    let families = tasks.iter().map(|(settings, task)| {
        let started = Instant::now();
        let family = TextClasses::read(&settings.run.source(), task)?;
        Ok((family, started.elapsed().as_secs_f64()))
    });
    let families = families.collect::<Result<Vec<_>, TaskError>>()?;
    let commands = families.iter().zip(tasks);
    let commands = commands.map(|((family, seconds), (settings, _))| {
        let before = Before {
            seconds: *seconds,
            inputs: None,
            alone: false,
        };
        prepare(family, settings, before, program.collective())
    });
    let commands = commands.collect::<Result<Vec<_>, _>>()?;
    let anew = check_begins(&commands)?;
    check_memory(&commands, program.collective())?;
    let Some((first, _)) = tasks.first() else {
        return Ok(Vec::new());
    };
    let dir = first.run.output_dir.parent().unwrap_or(Path::new(""));
    let leads = program.collective().leads();
    let _folder = leads
        .then(|| hold::<TextClasses>(dir, &first.run, anew))
        .transpose()?;
    let manner = Manner {
        anew,
        outlives_divergence: false,
    };
    let mut done: Vec<TaskOutcome> = Vec::new();
    for (n, (command, (_, own))) in commands.iter().zip(tasks).enumerate() {
        info!("{} ({} of {})", own.task, n + 1, commands.len());
        done.push((own.task, execute(command, manner, program)?));
        // After each task, so that a later one that fails takes none of it away; with those that were finished before.
        let later = commands.iter().zip(tasks).skip(n + 1).filter(|_| !anew);
        let finished =
            later.filter_map(|(command, (_, own))| Some((own.task, command.finished()?)));
        let so_far: Vec<TaskOutcome> = done.iter().cloned().chain(finished).collect();
        if leads {
            write_task_summary(dir, &so_far)?;
        }
    }
    Ok(done)
}

/// Writes `glue_results.json`: the results of every task by seed.
///
/// # Errors
/// When the file cannot be written.
fn write_task_summary(dir: &Path, tasks: &[TaskOutcome]) -> Result<(), FinetuneError> {
    let of_runs = |outcomes: &[RunOutcome]| -> Value {
        let by_seed: BTreeMap<String, Value> = outcomes
            .iter()
            .map(|outcome| (outcome.seed.to_string(), json!(outcome.results)))
            .collect();
        json!(by_seed)
    };
    let by_task: BTreeMap<String, Value> = tasks
        .iter()
        .map(|(task, outcomes)| (task.to_string(), of_runs(outcomes)))
        .collect();
    Ok(write_json(dir, "glue_results.json", &by_task)?)
}
