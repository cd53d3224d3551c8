//! What every training command does, whatever the family: look, train, save, evaluate, once or with several
//! seeds.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use bert_report::{RunRecord, write_eval_results};
use bert_training::TrainPlan;
use bert_training::optimizer::Residency;
use serde::Serialize;
use serde_json::{Value, json};
use tracing::info;

use super::family::{Family, Purpose, RunOutcome};
use super::memory::{self, Memory};
use super::output::{OutputFolder, is_same_folder};
use super::prepare::{Planned, Prepared, check_begins, prepare};
use super::report;
use super::resume::{self, Begin, Look};
use super::scores::{self, print_results};
use super::seeds;
use super::session::{Session, starting_model};
use crate::backend::{self, Backend};
use crate::exit::bad_usage;
use crate::resolve::{RunSettings, Settings};
use crate::terminal;

/// Reads a family's inputs, and says how long that took.
///
/// # Errors
/// Those of `read`.
pub(crate) fn timed<T>(read: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(T, f64)> {
    let started = Instant::now();
    Ok((read()?, started.elapsed().as_secs_f64()))
}

/// Runs a training command, once or with several seeds; returns the last evaluation of each run, and prints
/// nothing. `data_seconds` is what reading the family took.
///
/// # Errors
/// When an input is bad, training fails, or an output cannot be written.
pub(crate) fn run<F: Family, S: Serialize + Clone>(
    family: &F,
    settings: &Settings<S>,
    data_seconds: f64,
) -> anyhow::Result<Vec<RunOutcome>> {
    let prepared = prepare(family, settings, data_seconds, true)?;
    let anew = check_begins(std::slice::from_ref(&prepared))?;
    execute(&prepared, anew)
}

/// Does what was prepared, with `anew` whatever the folders hold.
///
/// # Errors
/// When training fails or an output cannot be written.
pub(crate) fn execute<F: Family, S: Serialize + Clone>(
    prepared: &Prepared<'_, F, S>,
    anew: bool,
) -> anyhow::Result<Vec<RunOutcome>> {
    let Prepared {
        family, settings, ..
    } = prepared;
    let run = &settings.run;
    let backend = backend::open(run.device_choice)?;
    if run.optimize_on_cpu && backend.residency == Residency::Shared {
        info!("--optimize-on-cpu: on the CPU the optimiser's state is in host memory already");
    }
    let config = run.train_config(&backend);
    config.validate()?;
    let plan = match family.task() {
        Some(task) => Some(TrainPlan::new(bert_training::Task::len(&task), &config)?),
        None => None,
    };
    let memory = memory_of(prepared, &backend)?;
    if run.dry_run {
        // The weights are an input too.
        starting_model(*family, run, &backend.device)?;
        print_plan(*family, settings, plan, memory.first())?;
        return Ok(Vec::new());
    }
    let _folder = match run.seeds.is_empty() {
        true => None,
        false => Some(hold::<F>(&run.output_dir, run, anew)?),
    };
    let mut outcomes = Vec::new();
    for (n, planned) in prepared.runs.iter().enumerate() {
        if !run.seeds.is_empty() {
            let seed = planned.settings.run.seed;
            info!("seed {seed} ({} of {})", n + 1, run.seeds.len());
        }
        outcomes.push(run_once(
            prepared,
            planned,
            anew,
            &backend,
            plan.zip(memory.get(n)),
        )?);
    }
    if !run.seeds.is_empty() {
        seeds::write_summary(&run.output_dir, &outcomes)?;
    }
    Ok(outcomes)
}

/// Looks whether every run of some commands fits into memory, before anything is written.
///
/// # Errors
/// When one does not.
pub(crate) fn check_memory<F: Family, S: Serialize + Clone>(
    commands: &[Prepared<'_, F, S>],
) -> anyhow::Result<()> {
    let Some(first) = commands.first() else {
        return Ok(());
    };
    let backend = backend::open(first.settings.run.device_choice)?;
    commands
        .iter()
        .try_for_each(|command| memory_of(command, &backend).map(drop))
}

/// What each run of a command takes of memory; none where nothing is trained.
fn memory_of<F: Family, S: Serialize + Clone>(
    prepared: &Prepared<'_, F, S>,
    backend: &Backend,
) -> anyhow::Result<Vec<Memory>> {
    let Some(task) = prepared.family.task() else {
        return Ok(Vec::new());
    };
    let of_run = |planned: &Planned<S>| {
        let run = &planned.settings.run;
        let kept = planned.kept_accumulation();
        let memory = memory::look(prepared.family, &task, run, backend, kept);
        if !planned.is_finished() {
            memory.refuse(run)?;
        }
        Ok(memory)
    };
    prepared.runs.iter().map(of_run).collect()
}

/// Locks the folder of several runs, and removes what it holds of others where these begin anew.
///
/// # Errors
/// When another process works in it, or it cannot be written.
pub(crate) fn hold<F: Family>(
    dir: &Path,
    run: &RunSettings,
    anew: bool,
) -> anyhow::Result<OutputFolder> {
    let folder = OutputFolder::open(dir)?;
    folder.remove_leftovers()?;
    let of_one_run = run.is_demo_folder && dir.join("run.json").exists();
    if anew || run.overwrite_output_dir || of_one_run {
        folder.clear::<F>()?;
    }
    Ok(folder)
}

/// Prints what a family of whole examples came to: every result of one run, or a table of several.
///
/// # Errors
/// When stdout is closed.
pub(crate) fn print(outcomes: &[RunOutcome]) -> anyhow::Result<()> {
    if terminal::json() {
        return scores::print_json(outcomes);
    }
    let [outcome] = outcomes else {
        return Ok(seeds::print(outcomes)?);
    };
    if outcome.table.len() > 1 {
        outcome.table.print()?;
    }
    print_results(&outcome.results)
}

fn run_once<F: Family, S: Serialize>(
    prepared: &Prepared<'_, F, S>,
    planned: &Planned<S>,
    anew: bool,
    backend: &Backend,
    plan: Option<(TrainPlan, &Memory)>,
) -> anyhow::Result<RunOutcome> {
    let (family, run) = (prepared.family, &planned.settings.run);
    let folder = OutputFolder::open(&run.output_dir)?;
    folder.remove_leftovers()?;
    // Again, now that nobody else can change it.
    let look = Look {
        one_of_several: prepared.one_of_several,
        anew,
    };
    let begin = resume::look::<F>(run, &planned.record, look)?;
    let record = planned.record.clone();
    match (begin, plan) {
        (Begin::Finished(outcome), _) => {
            info!("{}: finished already", run.output_dir.display());
            Ok(outcome)
        }
        (begin, Some((plan, memory))) => Session {
            family,
            run,
            folder: &folder,
            record,
            backend,
            plan,
            memory,
            data_seconds: prepared.data_seconds,
            other_evaluation: Duration::ZERO,
        }
        .train(begin),
        (_, None) => predict(family, run, record, backend),
    }
}

/// Predicts without training.
fn predict<F: Family>(
    family: &F,
    run: &RunSettings,
    mut record: RunRecord,
    backend: &Backend,
) -> anyhow::Result<RunOutcome> {
    let dir = &run.output_dir;
    let model = starting_model(family, run, &backend.device)?;
    // Predicting in place keeps the record of the training that made the checkpoint.
    let in_place = is_same_folder(dir, &run.bert_model) && dir.join("run.json").exists();
    let mut outcome = RunOutcome::new(run.seed);
    if in_place {
        outcome.results = read_eval_results(dir)?;
    } else {
        record.write(dir)?;
    }
    let purpose = Purpose::Results(dir);
    let mut task = None;
    let evaluation = family.evaluate(&model, &run.scoring(backend), purpose)?;
    if let Some(mut evaluation) = evaluation {
        task = evaluation.report.take();
        outcome.add_final("as given", evaluation);
    }
    if !outcome.results.is_empty() {
        write_eval_results(dir, &outcome.results)?;
    }
    if !in_place {
        record.finish(json!({"outcome": outcome}));
        record.write(dir)?;
        report::leave(dir, family.task_name(), run.device_choice, task);
    }
    info!("everything is in {}", dir.display());
    Ok(outcome)
}

/// What the training that made a checkpoint left of its results.
fn read_eval_results(dir: &Path) -> anyhow::Result<BTreeMap<String, Value>> {
    let path = dir.join("eval_results.json");
    match std::fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => bad_usage!("{}: {error}", path.display()),
        Ok(bytes) => match serde_json::from_slice(&bytes) {
            Ok(results) => Ok(results),
            Err(error) => bad_usage!("{}: {error}", path.display()),
        },
    }
}

fn print_plan<F: Family, S: Serialize>(
    family: &F,
    settings: &Settings<S>,
    plan: Option<TrainPlan>,
    memory: Option<&Memory>,
) -> anyhow::Result<()> {
    let mut value = json!({
        "settings": settings,
        "seeds": match settings.run.seeds.as_slice() {
            [] => vec![settings.run.seed],
            seeds => seeds.to_vec(),
        },
        "steps_per_epoch": plan.map(|plan| plan.steps_per_epoch),
        "total_steps": plan.map(|plan| plan.total_steps),
        "memory_bytes": memory.map(|memory| json!({
            "estimate": memory.estimate,
            "total": memory.estimate.device(),
            "available": memory.available,
            "gradient_accumulation_steps": memory.config.batches.accumulation,
        })),
    });
    if let (Value::Object(value), Value::Object(counts)) = (&mut value, family.counts()) {
        value.extend(counts);
    }
    writeln!(std::io::stdout(), "{value:#}")?;
    Ok(())
}
