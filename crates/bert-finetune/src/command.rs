//! What every training command does, whatever the family: look, train, save, evaluate, once or with several
//! seeds.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use bert_backend::Backend;
use bert_report::{RunRecord, write_eval_results, write_json};
use bert_tasks::{Family, Purpose, TaskError};
use bert_training::memory::MemoryEstimate;
use bert_training::{Task, TrainPlan};
use serde::Serialize;
use serde_json::{Value, json};
use tracing::info;

use crate::memory::{self, Memory};
use crate::output::{OutputFolder, is_same_folder};
use crate::prepare::{Planned, Prepared, prepare};
use crate::resume::{self, Begin, Situation};
use crate::session::{Session, starting_model};
use crate::{FinetuneError, Program, RunOutcome, RunSettings, Settings, report, seeds};

pub use crate::prepare::check_begins;

/// Reads a family's inputs, and says how long that took.
///
/// # Errors
/// Those of `read`.
pub fn timed<T>(read: impl FnOnce() -> Result<T, TaskError>) -> Result<(T, f64), TaskError> {
    let started = Instant::now();
    Ok((read()?, started.elapsed().as_secs_f64()))
}

/// Runs a training command, once or with several seeds, and returns what each run came to. `data_seconds` is what
/// reading the family took.
///
/// # Errors
/// When an input is bad, training fails, or an output cannot be written.
pub fn run<F: Family, S: Serialize + Clone>(
    family: &F,
    settings: &Settings<S>,
    data_seconds: f64,
    program: &dyn Program,
) -> Result<Vec<RunOutcome>, FinetuneError> {
    let prepared = prepare(family, settings, data_seconds, true)?;
    let anew = check_begins(std::slice::from_ref(&prepared))?;
    execute(&prepared, anew, program)
}

/// Does what was prepared; with `anew` whatever the folders hold.
///
/// # Errors
/// When training fails or an output cannot be written.
pub fn execute<F: Family, S: Serialize + Clone>(
    prepared: &Prepared<'_, F, S>,
    anew: bool,
    program: &dyn Program,
) -> Result<Vec<RunOutcome>, FinetuneError> {
    let run = &prepared.settings.run;
    let backend = Backend::open(run.device)?;
    if run.optimize_on_cpu && backend.kind().shares_host_memory {
        info!("optimize_on_cpu: on the CPU the optimiser's state is in host memory already");
    }
    let plan = train_plan(prepared, &backend)?;
    let memory = memory_of(prepared, &backend)?;
    let _folder = if run.seeds.is_empty() {
        None
    } else {
        Some(hold::<F>(&run.output_dir, run, anew)?)
    };
    let mut outcomes = Vec::new();
    for (n, planned) in prepared.runs.iter().enumerate() {
        if !run.seeds.is_empty() {
            let seed = planned.settings.run.seed;
            info!("seed {seed} ({} of {})", n + 1, run.seeds.len());
        }
        let training = plan.zip(memory.get(n));
        outcomes.push(run_once(
            prepared, planned, anew, &backend, training, program,
        )?);
    }
    if !run.seeds.is_empty() {
        seeds::write_summary(&run.output_dir, &outcomes)?;
    }
    Ok(outcomes)
}

fn train_plan<F: Family, S>(
    prepared: &Prepared<'_, F, S>,
    backend: &Backend,
) -> Result<Option<TrainPlan>, FinetuneError> {
    let config = prepared.settings.run.train_config(backend);
    config.validate()?;
    let task = prepared.family.task();
    let plan = task.map(|task| TrainPlan::new(task.len(), &config));
    Ok(plan.transpose()?)
}

/// What [`execute`] would do.
#[derive(Debug, Clone, Serialize)]
pub struct Plan<S> {
    /// The settings.
    pub settings: Settings<S>,
    /// The seeds that the recipe is trained with.
    pub seeds: Vec<u64>,
    /// Optimiser steps of an epoch; `None` where nothing is trained.
    pub steps_per_epoch: Option<usize>,
    /// Optimiser steps of a run.
    pub total_steps: Option<usize>,
    /// Memory of the first run.
    pub memory_bytes: Option<PlannedMemory>,
    /// The number of examples of each file.
    #[serde(flatten)]
    pub counts: Value,
}

/// Memory that a run would take, in bytes.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedMemory {
    /// What takes it.
    pub estimate: MemoryEstimate,
    /// What the device must have.
    pub total: u64,
    /// What it has; `None` where that cannot be told.
    pub available: Option<u64>,
    /// Micro-batches of a step.
    pub gradient_accumulation_steps: usize,
}

/// Says what [`execute`] would do. The weights are read too, since they are an input.
///
/// # Errors
/// When an input is bad, or the training does not fit into memory.
pub fn plan<F: Family, S: Serialize + Clone>(
    prepared: &Prepared<'_, F, S>,
) -> Result<Plan<S>, FinetuneError> {
    let run = &prepared.settings.run;
    let backend = Backend::open(run.device)?;
    let plan = train_plan(prepared, &backend)?;
    let memory = memory_of(prepared, &backend)?;
    starting_model(prepared.family, run, &backend.device)?;
    Ok(Plan {
        settings: prepared.settings.clone(),
        seeds: if run.seeds.is_empty() {
            vec![run.seed]
        } else {
            run.seeds.clone()
        },
        steps_per_epoch: plan.map(|plan| plan.steps_per_epoch),
        total_steps: plan.map(|plan| plan.total_steps),
        memory_bytes: memory.first().map(|memory| PlannedMemory {
            estimate: memory.estimate,
            total: memory.estimate.device(),
            available: memory.available,
            gradient_accumulation_steps: memory.config.batches.accumulation,
        }),
        counts: prepared.family.counts(),
    })
}

/// Writes `glue_results.json`: the results of every task by seed.
///
/// # Errors
/// When the file cannot be written.
pub fn write_task_summary(
    dir: &Path,
    tasks: &[(String, Vec<RunOutcome>)],
) -> Result<(), FinetuneError> {
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
    Ok(write_json(&dir.join("glue_results.json"), &by_task)?)
}

/// Looks whether every run of some commands fits into memory, before anything is written.
///
/// # Errors
/// When one does not.
pub fn check_memory<F: Family, S: Serialize + Clone>(
    commands: &[Prepared<'_, F, S>],
) -> Result<(), FinetuneError> {
    let Some(first) = commands.first() else {
        return Ok(());
    };
    let backend = Backend::open(first.settings.run.device)?;
    commands
        .iter()
        .try_for_each(|command| memory_of(command, &backend).map(drop))
}

/// What each run of a command takes of memory; none where nothing is trained.
fn memory_of<F: Family, S: Serialize + Clone>(
    prepared: &Prepared<'_, F, S>,
    backend: &Backend,
) -> Result<Vec<Memory>, FinetuneError> {
    let Some(task) = prepared.family.task() else {
        return Ok(Vec::new());
    };
    let of_run = |planned: &Planned<S>| {
        let run = &planned.settings.run;
        let kept = planned.kept_accumulation();
        let memory = memory::compare(prepared.family, &task, run, backend, kept);
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
pub fn hold<F: Family>(
    dir: &Path,
    run: &RunSettings,
    anew: bool,
) -> Result<OutputFolder, FinetuneError> {
    let folder = OutputFolder::open(dir)?;
    folder.remove_leftovers()?;
    let of_one_run = run.is_demo_folder && dir.join("run.json").exists();
    if anew || run.overwrite_output_dir || of_one_run {
        folder.clear::<F>()?;
    }
    Ok(folder)
}

fn run_once<F: Family, S: Serialize>(
    prepared: &Prepared<'_, F, S>,
    planned: &Planned<S>,
    anew: bool,
    backend: &Backend,
    plan: Option<(TrainPlan, &Memory)>,
    program: &dyn Program,
) -> Result<RunOutcome, FinetuneError> {
    let (family, run) = (prepared.family, &planned.settings.run);
    let folder = OutputFolder::open(&run.output_dir)?;
    folder.remove_leftovers()?;
    // Again, now that nobody else can change it.
    let situation = Situation {
        one_of_several: prepared.one_of_several,
        anew,
    };
    let begin = resume::examine::<F>(run, &planned.record, situation)?;
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
            program,
            plan,
            memory,
            data_seconds: prepared.data_seconds,
            other_evaluation: Duration::ZERO,
        }
        .train(begin),
        (_, None) => predict(family, run, record, backend, program),
    }
}

/// Predicts without training.
fn predict<F: Family>(
    family: &F,
    run: &RunSettings,
    mut record: RunRecord,
    backend: &Backend,
    program: &dyn Program,
) -> Result<RunOutcome, FinetuneError> {
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
    let evaluation = family.evaluate(&model, &run.scoring(backend, program), purpose)?;
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
        report::leave(dir, family.task_name(), run.device, task);
    }
    info!("everything is in {}", dir.display());
    Ok(outcome)
}

/// What the training that made a checkpoint left of its results.
fn read_eval_results(dir: &Path) -> Result<BTreeMap<String, Value>, FinetuneError> {
    let path = dir.join("eval_results.json");
    match std::fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(source) => Err(FinetuneError::Io {
            path,
            what: "cannot be read",
            source,
        }),
        Ok(bytes) => {
            serde_json::from_slice(&bytes).map_err(|source| FinetuneError::Results { path, source })
        }
    }
}
