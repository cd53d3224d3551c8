//! Does what was prepared: the runs of one command, one after the other.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use bert_backend::Backend;
use bert_files::Replacement;
use bert_records::{RunRecord, read_eval_results, write_eval_results};
use bert_tasks::{Family, Purpose, TaskError};
use bert_training::collective::{Collective, made_by_leader};
use bert_training::{Task, TrainPlan};
use serde_json::json;
use tracing::{info, warn};

use crate::memory::{self, Memory};
use crate::output::{OutputFolder, is_same_folder};
use crate::prepare::{Planned, Prepared};
use crate::resume::{self, Begin, Situation};
use crate::session::Session;
use crate::start::starting_model;
use crate::{FinetuneError, Program, RunOutcome, RunSettings, Settings, report, seeds};

/// How the runs of a command are done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    /// The command begins anew, whatever its folders hold.
    pub(crate) anew: bool,
    /// A run that ends in numbers that are none is an outcome like others.
    pub(crate) outlives_divergence: bool,
}

/// Does what was prepared: a run for each seed, and another one, with another seed, for each that has learnt nothing where
/// that is asked for.
///
/// # Errors
/// When training fails or an output cannot be written.
pub(crate) fn execute<F: Family>(
    prepared: &Prepared<'_, F>,
    manner: Manner,
    program: &dyn Program,
) -> Result<Vec<RunOutcome>, FinetuneError> {
    let run = &prepared.settings.run;
    let backend = Backend::open(run.compute.device)?;
    if run.execution.optimize_on_cpu && backend.kind().shares_host_memory {
        info!("optimize_on_cpu: on the CPU the optimiser's state is in host memory already");
    }
    let execution = Execution {
        prepared,
        anew: manner.anew,
        backend: &backend,
        plan: train_plan(prepared, &backend)?,
        memory: memory_of(prepared, &backend, program.collective())?,
        // Processes learn of each other's errors, and end with them.
        outlives_divergence: (manner.outlives_divergence || run.seeds.len() > 1)
            && program.collective().size() == 1,
        program,
    };
    let leads_several = !run.seeds.is_empty() && program.collective().leads();
    let _folder = leads_several
        .then(|| hold::<F>(&run.output_dir, run, manner.anew))
        .transpose()?;
    let mut outcomes = Vec::new();
    for (n, planned) in prepared.runs.iter().enumerate() {
        if !run.seeds.is_empty() {
            let seed = planned.settings.run.seed;
            info!("seed {seed} ({} of {})", n + 1, run.seeds.len());
        }
        outcomes.push(execution.run(planned, n)?);
    }
    if run.retry_failed_seeds && !run.seeds.is_empty() {
        outcomes.extend(execution.retry(&outcomes)?);
    }
    if leads_several {
        seeds::write_summary(&run.output_dir, &outcomes)?;
    }
    Ok(outcomes)
}

/// Everything that the runs of a command share.
struct Execution<'a, F> {
    prepared: &'a Prepared<'a, F>,
    anew: bool,
    backend: &'a Backend,
    plan: Option<TrainPlan>,
    memory: Vec<Memory>,
    outlives_divergence: bool,
    program: &'a dyn Program,
}

impl<F: Family> Execution<'_, F> {
    /// A run, with the memory of the `n`th that was planned.
    fn run(&self, planned: &Planned, n: usize) -> Result<RunOutcome, FinetuneError> {
        let training = self.plan.zip(self.memory.get(n));
        let outcome = run_once(
            self.prepared,
            planned,
            self.anew,
            self.backend,
            training,
            self.program,
        );
        match outcome {
            Err(error) if self.outlives_divergence && error.is_divergence() => {
                warn!("{}: {error}", planned.settings.run.output_dir.display());
                Ok(RunOutcome::diverged(planned.settings.run.seed, &error))
            }
            outcome => outcome,
        }
    }

    /// A run for each seed with which nothing was learnt.
    fn retry(&self, outcomes: &[RunOutcome]) -> Result<Vec<RunOutcome>, FinetuneError> {
        let seeds = &self.prepared.settings.run.seeds;
        let failed = outcomes.iter().enumerate();
        let failed = failed.filter(|(_, outcome)| outcome.degenerate.is_some());
        let others = (1..).filter(|seed| !seeds.contains(seed));
        let retries = failed.zip(others).map(|((n, outcome), seed)| {
            info!(
                "seed {seed} in place of {}, which has learnt nothing",
                outcome.seed
            );
            let settings = self.prepared.settings.with_seed(seed);
            let planned = self.prepared.plan(settings, self.program.collective())?;
            let mut retry = self.run(&planned, n)?;
            retry.retry_of = Some(outcome.seed);
            Ok(retry)
        });
        retries.collect()
    }
}

pub(crate) fn train_plan<F: Family>(
    prepared: &Prepared<'_, F>,
    backend: &Backend,
) -> Result<Option<TrainPlan>, FinetuneError> {
    let config = prepared.settings.train_config(backend);
    config.validate()?;
    let task = prepared.family.task();
    let plan = task.map(|task| TrainPlan::new(task.len(), &config));
    Ok(plan.transpose()?)
}

/// Looks whether every run of some commands fits into memory, before anything is written.
///
/// # Errors
/// When one does not.
pub(crate) fn check_memory<F: Family>(
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
pub(crate) fn memory_of<F: Family>(
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
pub(crate) fn hold<F: Family>(
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
        if collective.leads() {
            outcome.warn_of_nothing_learnt();
        }
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
            report::leave(dir, family.task_name(), run.compute.device, None, task);
        }
        info!("everything is in {}", dir.display());
        Ok(outcome)
    })
}
