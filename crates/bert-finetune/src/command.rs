//! What every training command does, whatever the family: look, train, save, evaluate, once or with several
//! seeds.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use bert_backend::Backend;
use bert_files::Replacement;
use bert_records::{RunRecord, read_eval_results, write_eval_results, write_json};
use bert_tasks::glue::{GlueSettings, TextClasses, TextTask};
use bert_tasks::squad::Squad;
use bert_tasks::swag::Choices;
use bert_tasks::{Family, Purpose, TaskError};
use bert_training::collective::{Alone, Collective, made_by_leader};
use bert_training::memory::MemoryEstimate;
use bert_training::{Task, TrainPlan};
use serde::Serialize;
use serde_json::{Value, json};
use tracing::info;

use crate::memory::{self, Memory};
use crate::output::{OutputFolder, is_same_folder};
use crate::prepare::{Planned, Prepared, check_begins, prepare};
use crate::resume::{self, Begin, Situation};
use crate::session::Session;
use crate::start::starting_model;
use crate::{
    FinetuneError, Program, RunOutcome, RunSettings, Settings, TaskSettings, report, seeds,
};

/// Trains as the settings say, once or with several seeds, and returns what each run came to. A run that was stopped in
/// the output folder is resumed.
///
/// # Errors
/// When an input is bad, training fails, or an output cannot be written.
pub fn train(settings: &Settings, program: &dyn Program) -> Result<Vec<RunOutcome>, FinetuneError> {
    let started = Instant::now();
    let source = settings.run.source();
    match &settings.task {
        TaskSettings::TrainSquad(task) => {
            run_family(&Squad::read(&source, task)?, settings, started, program)
        }
        TaskSettings::TrainSwag(task) => {
            run_family(&Choices::read(&source, task)?, settings, started, program)
        }
        TaskSettings::TrainGlue(task) => run_family(
            &TextClasses::read(&source, task)?,
            settings,
            started,
            program,
        ),
    }
}

/// Trains a family whose inputs have been read, as [`train`] does.
///
/// # Errors
/// Those of [`train`].
pub fn train_family<F: Family>(
    family: &F,
    settings: &Settings,
    program: &dyn Program,
) -> Result<Vec<RunOutcome>, FinetuneError> {
    run_family(family, settings, Instant::now(), program)
}

/// `started`: when the family began to be read.
fn run_family<F: Family>(
    family: &F,
    settings: &Settings,
    started: Instant,
    program: &dyn Program,
) -> Result<Vec<RunOutcome>, FinetuneError> {
    let prepared = prepare(
        family,
        settings,
        started.elapsed().as_secs_f64(),
        true,
        program.collective(),
    )?;
    let anew = check_begins(std::slice::from_ref(&prepared))?;
    execute(&prepared, anew, program)
}

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
        prepare(family, settings, *seconds, false, program.collective())
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
    let mut done: Vec<TaskOutcome> = Vec::new();
    for (n, (command, (_, own))) in commands.iter().zip(tasks).enumerate() {
        info!("{} ({} of {})", own.task, n + 1, commands.len());
        done.push((own.task, execute(command, anew, program)?));
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

/// Does what was prepared; with `anew` whatever the folders hold.
///
/// # Errors
/// When training fails or an output cannot be written.
fn execute<F: Family>(
    prepared: &Prepared<'_, F>,
    anew: bool,
    program: &dyn Program,
) -> Result<Vec<RunOutcome>, FinetuneError> {
    let run = &prepared.settings.run;
    let backend = Backend::open(run.compute.device)?;
    if run.execution.optimize_on_cpu && backend.kind().shares_host_memory {
        info!("optimize_on_cpu: on the CPU the optimiser's state is in host memory already");
    }
    let plan = train_plan(prepared, &backend)?;
    let memory = memory_of(prepared, &backend, program.collective())?;
    let leads_several = !run.seeds.is_empty() && program.collective().leads();
    let _folder = leads_several
        .then(|| hold::<F>(&run.output_dir, run, anew))
        .transpose()?;
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
    if leads_several {
        seeds::write_summary(&run.output_dir, &outcomes)?;
    }
    Ok(outcomes)
}

fn train_plan<F: Family>(
    prepared: &Prepared<'_, F>,
    backend: &Backend,
) -> Result<Option<TrainPlan>, FinetuneError> {
    let config = prepared.settings.train_config(backend);
    config.validate()?;
    let task = prepared.family.task();
    let plan = task.map(|task| TrainPlan::new(task.len(), &config));
    Ok(plan.transpose()?)
}

/// What [`train`] would do.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// The settings.
    pub settings: Settings,
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

impl Plan {
    /// What is trained on and what is predicted, each with its number of examples.
    pub fn files(&self) -> Vec<(&str, String)> {
        let named = [
            ("training", "training     "),
            ("prediction", "prediction   "),
        ];
        let counted = named.into_iter().filter_map(|(key, name)| {
            let count = self.counts.get(key).filter(|count| !count.is_null())?;
            let parts = count
                .as_object()?
                .iter()
                .map(|(what, number)| format!("{number} {what}"));
            Some((name, parts.collect::<Vec<_>>().join(", ")))
        });
        counted.filter(|(_, text)| !text.is_empty()).collect()
    }
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

/// Says what [`train`] would do. The weights are read too, since they are an input.
///
/// # Errors
/// When an input is bad, or the training does not fit into memory.
pub fn plan(settings: &Settings) -> Result<Plan, FinetuneError> {
    let source = settings.run.source();
    match &settings.task {
        TaskSettings::TrainSquad(task) => plan_family(&Squad::read(&source, task)?, settings),
        TaskSettings::TrainSwag(task) => plan_family(&Choices::read(&source, task)?, settings),
        TaskSettings::TrainGlue(task) => plan_family(&TextClasses::read(&source, task)?, settings),
    }
}

fn plan_family<F: Family>(family: &F, settings: &Settings) -> Result<Plan, FinetuneError> {
    let prepared = &prepare(family, settings, 0.0, true, &Alone)?;
    let run = &prepared.settings.run;
    let backend = Backend::open(run.compute.device)?;
    let plan = train_plan(prepared, &backend)?;
    let memory = memory_of(prepared, &backend, &Alone)?;
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
            gradient_accumulation_steps: memory.config.recipe.gradient_accumulation_steps,
        }),
        counts: prepared.family.counts(),
    })
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

/// Looks whether every run of some commands fits into memory, before anything is written.
///
/// # Errors
/// When one does not.
fn check_memory<F: Family>(
    commands: &[Prepared<'_, F>],
    collective: &dyn Collective,
) -> Result<(), FinetuneError> {
    let Some(first) = commands.first() else {
        return Ok(());
    };
    let backend = Backend::open(first.settings.run.compute.device)?;
    commands
        .iter()
        .try_for_each(|command| memory_of(command, &backend, collective).map(drop))
}

/// What each run of a command takes of memory; none where nothing is trained.
///
/// # Errors
/// When a run does not fit, or the device does not hold the model.
fn memory_of<F: Family>(
    prepared: &Prepared<'_, F>,
    backend: &Backend,
    collective: &dyn Collective,
) -> Result<Vec<Memory>, FinetuneError> {
    bert_inference::check_table(prepared.family.config(), backend.largest_buffer())
        .map_err(TaskError::from)?;
    let Some(task) = prepared.family.task() else {
        return Ok(Vec::new());
    };
    let of_run = |planned: &Planned| {
        let run = &planned.settings.run;
        let kept = planned.kept_accumulation();
        let settings = &planned.settings;
        let memory = memory::compare(prepared.family, &task, settings, backend, kept, collective)?;
        if planned.is_finished() {
            return Ok(memory);
        }
        memory.refuse(run)
    };
    prepared.runs.iter().map(of_run).collect()
}

/// Locks the folder of several runs, and removes what it holds of others where these begin anew.
///
/// # Errors
/// When another process works in it, or it cannot be written.
fn hold<F: Family>(
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

fn run_once<F: Family>(
    prepared: &Prepared<'_, F>,
    planned: &Planned,
    anew: bool,
    backend: &Backend,
    plan: Option<(TrainPlan, &Memory)>,
    program: &dyn Program,
) -> Result<RunOutcome, FinetuneError> {
    let (family, run) = (prepared.family, &planned.settings.run);
    let situation = Situation {
        one_of_several: prepared.one_of_several,
        anew,
    };
    let mut folder = None;
    let begin = made_by_leader(program.collective(), || {
        folder
            .insert(OutputFolder::open(&run.output_dir)?)
            .remove_leftovers()?;
        // Again, now that nobody else can change it.
        resume::examine::<F>(&planned.settings, &planned.record, situation)
    })?;
    let record = planned.record.clone();
    match (begin, plan) {
        (Begin::Finished(outcome), _) => {
            info!("{}: finished already", run.output_dir.display());
            Ok(outcome)
        }
        (begin, Some((plan, memory))) => Session {
            family,
            settings: &planned.settings,
            folder: folder.as_ref(),
            record,
            backend,
            program,
            plan,
            memory,
            data_seconds: prepared.data_seconds,
            other_evaluation: Duration::ZERO,
        }
        .train(begin),
        (_, None) => predict(family, &planned.settings, record, backend, program),
    }
}

/// Predicts without training.
fn predict<F: Family>(
    family: &F,
    settings: &Settings,
    mut record: RunRecord,
    backend: &Backend,
    program: &dyn Program,
) -> Result<RunOutcome, FinetuneError> {
    let run = &settings.run;
    let dir = &run.output_dir;
    let model = starting_model(family, run, &backend.device)?;
    // Predicting in place keeps the record of the training that made the checkpoint.
    let in_place = is_same_folder(dir, &run.bert_model) && dir.join("run.json").exists();
    let mut outcome = RunOutcome::new(run.seed);
    let collective = program.collective();
    let mut files = None;
    outcome.results = made_by_leader(collective, || {
        let mut results = BTreeMap::new();
        if in_place {
            results = read_eval_results(dir)?;
        } else {
            record.write(dir)?;
        }
        let files = files.insert(Replacement::new(dir)?);
        files.remove(family.replaced_predictions());
        Ok::<_, FinetuneError>(results)
    })?;
    let purpose = Purpose::Results(files.as_mut());
    let mut task = None;
    let evaluation = family.evaluate(&model, &settings.scoring(backend, program), purpose);
    let evaluation = evaluation.map_err(FinetuneError::of_evaluation::<F>)?;
    if let Some(mut evaluation) = evaluation {
        task = evaluation.report.take();
        outcome.add_final("as given", evaluation);
    }
    made_by_leader(collective, || {
        if let Some(mut files) = files {
            if !outcome.results.is_empty() {
                write_eval_results(&mut files, &outcome.results)?;
            }
            files.commit()?;
        }
        if !in_place {
            record.finish(json!({"outcome": outcome}));
            record.write(dir)?;
            report::leave(dir, family.task_name(), run.compute.device, task);
        }
        info!("everything is in {}", dir.display());
        Ok(outcome)
    })
}
