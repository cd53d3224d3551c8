//! What every training command does, whatever the family: look, train, save, evaluate, once or with several
//! seeds.

use std::time::Instant;

use bert_backend::Backend;
use bert_tasks::Family;
use bert_tasks::glue::TextClasses;
use bert_tasks::squad::Squad;
use bert_tasks::swag::Choices;
use bert_training::collective::Alone;
use bert_training::memory::MemoryEstimate;
use serde::Serialize;
use serde_json::Value;

use crate::execute::{Manner, execute, memory_of, train_plan};
use crate::prepare::{Before, check_begins, prepare};
use crate::start::starting_model;
use crate::{FinetuneError, Program, RunOutcome, Settings, TaskSettings};

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
    let before = Before {
        seconds: started.elapsed().as_secs_f64(),
        ..Before::default()
    };
    let prepared = prepare(family, settings, before, program.collective())?;
    let manner = Manner {
        anew: check_begins(std::slice::from_ref(&prepared))?,
        outlives_divergence: false,
    };
    execute(&prepared, manner, program)
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
    plan_after(settings, Before::default())
}

/// The same for a command of which something is known.
///
/// # Errors
/// Those of [`plan`].
pub(crate) fn plan_after(settings: &Settings, before: Before<'_>) -> Result<Plan, FinetuneError> {
    let source = settings.run.source();
    match &settings.task {
        TaskSettings::TrainSquad(task) => {
            plan_family(&Squad::read(&source, task)?, settings, before)
        }
        TaskSettings::TrainSwag(task) => {
            plan_family(&Choices::read(&source, task)?, settings, before)
        }
        TaskSettings::TrainGlue(task) => {
            plan_family(&TextClasses::read(&source, task)?, settings, before)
        }
    }
}

fn plan_family<F: Family>(
    family: &F,
    settings: &Settings,
    before: Before<'_>,
) -> Result<Plan, FinetuneError> {
    let prepared = &prepare(family, settings, before, &Alone)?;
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
