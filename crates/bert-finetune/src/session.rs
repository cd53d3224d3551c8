//! One training, from wherever it begins to its results.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bert_backend::{Backend, UsageMonitor};
use bert_files::Replacement;
use bert_model::Encoder;
use bert_model::checkpoint::save;
use bert_model::heads::TaskModel;
use bert_records::{RunRecord, RunStateStore, write_eval_results};
use bert_tasks::{Evaluation, Family, Purpose};
use bert_tokenization::{save_tokenizer, tokenizer_files};
use bert_training::batches::epoch;
use bert_training::collate::Collator;
use bert_training::collective::made_by_leader;
use bert_training::optimizer::Residency;
use bert_training::run::{
    self, Evaluated, Hooks, Resumed, RunEnd, RunOptions, RunSaving, RunState, SavedState, Start,
};
use bert_training::{StepRecord, Task, TrainConfig, TrainError, TrainPlan, fit_micro_batch};
use burn::module::Module;
use burn::tensor::Device;
use serde_json::json;
use tracing::{info, warn};

use crate::memory::{self, Memory};
use crate::output::{CHECKPOINTS, OutputFolder};
use crate::prepare::ACCUMULATION;
use crate::resume::{self, Begin};
use crate::start::starting_model;
use crate::summary::{Summary, counted};
use crate::tracker::Tracker;
use crate::{FinetuneError, Program, RunOutcome, ScoreTable, Settings, report};

/// Everything that one training is made of.
pub(crate) struct Session<'a, F> {
    pub(crate) family: &'a F,
    pub(crate) settings: &'a Settings,
    /// `None` in a process that does not lead.
    pub(crate) folder: Option<&'a OutputFolder>,
    pub(crate) record: RunRecord,
    pub(crate) backend: &'a Backend,
    pub(crate) program: &'a dyn Program,
    pub(crate) plan: TrainPlan,
    pub(crate) memory: &'a Memory,
    pub(crate) data_seconds: f64,
    /// Spent on evaluating the untrained and the final model.
    pub(crate) other_evaluation: Duration,
}

impl<F: Family> Session<'_, F> {
    /// Trains, saves, predicts and scores.
    ///
    /// # Errors
    /// When the run cannot begin or go on, or is interrupted.
    pub(crate) fn train(mut self, begin: Begin) -> Result<RunOutcome, FinetuneError> {
        let mut config = self.memory.config;
        config.seed = self.settings.run.seed;
        let device = self.backend.device.clone().autodiff();
        let saving = self.saving()?;
        let resumed = match begin {
            Begin::Unfinished(earlier) => self.resume(earlier, &saving, &mut config, &device)?,
            Begin::New | Begin::Finished(_) => None,
        };
        let state = resumed.as_ref().map(|resumed| resumed.state.clone());
        let start = match resumed {
            Some(resumed) => Start::Resumed(Box::new(resumed)),
            None => {
                let model = self.begin_anew(&mut config, &device)?;
                Start::Fresh(model)
            }
        };
        let options = RunOptions {
            saving: Some(saving.clone()),
            eval_steps: self
                .settings
                .run
                .evaluation
                .every(self.plan.steps_per_epoch),
            early_stopping_patience: self.settings.run.evaluation.early_stopping_patience,
        };
        let mut outcome = self.run_steps(start, state.as_ref(), &config, &options, &device)?;
        if outcome.end == RunEnd::Interrupted {
            return Err(self.interrupted(outcome.state.step));
        }
        let recipe = &config.recipe;
        if let Some(how) = recipe.average_weights
            && how
                .share(outcome.state.step, self.plan.total_steps)
                .is_none()
        {
            warn!(
                "average_weights {how}: the run ended before the average began, and the result is none"
            );
        }
        let collective = self.program.collective();
        // The best model is on disk once the leading process is here.
        made_by_leader(collective, || Ok::<_, FinetuneError>(()))?;
        let best = run::best_model(&saving, &outcome.state, &device);
        let best = match best {
            // What a disk does not give now it may give the next time: the same command tries again.
            Err(error) if error.is_failed_read() => return Err(error.into()),
            best => best,
        };
        if let Err(error) = &best {
            warn!("the best model is lost, the last one is the result: {error}");
        }
        // All go on with one model.
        let lost = collective.any(best.is_err()).map_err(TrainError::from)?;
        let model = match best {
            Ok(Some(best)) if !lost => best,
            Ok(None) => outcome.model,
            _ => {
                outcome.state.best = None;
                outcome.model
            }
        };
        self.finish(model, &outcome.state, outcome.end)
    }

    /// Everything that an earlier process left of this run; `None` where it left no run state.
    fn resume(
        &mut self,
        earlier: RunRecord,
        saving: &RunSaving,
        config: &mut TrainConfig,
        device: &Device,
    ) -> Result<Option<Resumed<F::Model>>, FinetuneError> {
        let dir = &self.settings.run.output_dir;
        let store = &saving.store;
        let mut damaged = Vec::new();
        let step = made_by_leader(self.program.collective(), || {
            let found = run::find(store)?;
            damaged = found.damaged;
            for (step, error) in &damaged {
                warn!("{}: not used: {error}", store.path(*step).display());
            }
            if found.step.is_none() && !damaged.is_empty() {
                return Err(FinetuneError::NoIntactState {
                    dir: dir.clone(),
                    damaged: damaged.len(),
                });
            }
            Ok(found.step)
        })?;
        let Some(step) = step else {
            info!(
                "{}: found an unfinished run without a run state: it starts again",
                dir.display()
            );
            return Ok(None);
        };
        config.recipe.gradient_accumulation_steps = run::accumulation(store, step)?;
        let resumed = run::resume(saving, step, self.plan, config, device)?;
        if let Some(error) = &resumed.best_lost {
            warn!(
                "the best model so far is lost: those to come are compared with each other, and patience begins anew \
                 ({error})"
            );
        }
        // What is damaged is neither kept nor counted.
        for (step, _) in damaged {
            store.remove(step)?;
        }
        info!(
            "going on after step {step} of {}, from {}",
            self.plan.total_steps,
            store.path(step as u64).display()
        );
        self.record = earlier;
        Ok(Some(resumed))
    }

    /// The micro-batches of a step with which the device has enough memory, found by trying.
    fn fit(
        &self,
        model: &F::Model,
        config: &TrainConfig,
        device: &Device,
    ) -> Result<usize, FinetuneError> {
        let Some(task) = self.family.task() else {
            unreachable!("a plan is made of a task")
        };
        let (before, total) = (
            config.recipe.gradient_accumulation_steps,
            config.recipe.train_batch_size,
        );
        let examples = Task::len(&task).min(total / before);
        info!("auto_micro_batch: trying the {examples} longest examples");
        let processes = self.program.collective().size();
        fit_micro_batch(&task, model, config, device, processes)
            .map_err(|error| self.with_advice(error.into()))
    }

    /// The first model of a new run. Nothing is removed or written before it is there.
    fn begin_anew(
        &mut self,
        config: &mut TrainConfig,
        device: &Device,
    ) -> Result<F::Model, FinetuneError> {
        let model = starting_model(self.family, &self.settings.run, device)?;
        // On a CPU there is only the estimate: want of memory ends the process.
        if self.settings.run.execution.auto_micro_batch && config.residency != Residency::Shared {
            let fitted = self.fit(&model, config, device)?;
            let fitted = memory::largest_of_all(self.program.collective(), fitted)?;
            *config = config.with_accumulation(fitted);
        }
        let mut summary = json!({ACCUMULATION: config.recipe.gradient_accumulation_steps});
        if self.settings.run.score_untrained {
            let started = Instant::now();
            summary["untrained"] = json!(self.score_untrained(&model)?);
            self.other_evaluation += started.elapsed();
        }
        // A resumed run has it from here.
        let mut record = self.record.clone();
        record.summary = Some(summary);
        self.record = made_by_leader(self.program.collective(), || {
            if let Some(folder) = self.folder {
                folder.begin::<F>(&record)?;
            }
            Ok::<_, FinetuneError>(record)
        })?;
        Ok(model)
    }

    fn score_untrained(&self, model: &F::Model) -> Result<ScoreTable, FinetuneError> {
        // Nothing is done yet that could be saved, and an earlier run may have begun to listen for Ctrl-C.
        let untrained = self.evaluate(&model.valid(), Purpose::Comparison);
        let untrained = untrained.map_err(|error| {
            if error.is_stop() {
                self.interrupted(0)
            } else {
                error
            }
        })?;
        let mut table = ScoreTable::default();
        if let Some(evaluation) = untrained {
            table.push("before", &evaluation);
        }
        Ok(table)
    }

    fn saving(&self) -> Result<RunSaving, FinetuneError> {
        let saving = self.settings.run.saving;
        let dir = self.settings.run.output_dir.join(CHECKPOINTS);
        let store = match self.folder {
            Some(_) => RunStateStore::open(&dir, saving.keep_last)?,
            None => RunStateStore::opened_elsewhere(&dir, saving.keep_last),
        };
        Ok(RunSaving {
            store,
            save_steps: saving.every(self.plan.steps_per_epoch),
            save_every: saving.interval(),
            run: resume::identity(self.settings, &self.record)?,
            config: self.family.config().clone(),
            companions: Arc::new(tokenizer_files(self.family.tokenizer(), self.longest_row())),
        })
    }

    /// Tokens of the longest row that the model reads.
    fn longest_row(&self) -> usize {
        <F::Model as TaskModel>::Encoder::limits(self.family.config()).length
    }

    fn run_steps(
        &self,
        start: Start<F::Model>,
        resumed: Option<&RunState>,
        config: &TrainConfig,
        options: &RunOptions,
        device: &Device,
    ) -> Result<run::Trained<F::Model>, FinetuneError> {
        let (run, plan) = (&self.settings.run, self.plan);
        info!(
            "training on {}: {} {}, {} of {} ({} {}), learning rate {:e}",
            run.compute.device,
            plan.examples,
            F::EXAMPLES,
            counted(plan.total_steps, "step"),
            config.recipe.train_batch_size,
            config.recipe.num_train_epochs,
            if config.recipe.num_train_epochs == 1.0 {
                "epoch"
            } else {
                "epochs"
            },
            config.recipe.learning_rate
        );
        let asked = run.recipe.gradient_accumulation_steps;
        self.memory.log(config, asked);
        let begun = self.program.training_begins(&self.memory.advice);
        begun.map_err(FinetuneError::Signals)?;
        let monitor = UsageMonitor::new(run.compute.device);
        let (dir, total) = (&run.output_dir, plan.total_steps);
        let collective = self.program.collective();
        let tracker = || Tracker::start(dir, total, resumed, monitor, self.program);
        let mut steps = Steps {
            session: self,
            tracker: collective.leads().then(tracker).transpose()?,
        };
        let Some(task) = self.family.task() else {
            unreachable!("a plan is made of a task")
        };
        if collective.size() > 1 {
            let collator = Collator::new(&task, config.padding);
            let steps = epoch(collator.lengths(), &config.batches(), config.seed, 0);
            info!(
                "{} processes share each step; the one with the most tokens has {:.1} % more than the mean",
                collective.size(),
                100.0 * collator.imbalance(&steps, collective.size())
            );
        }
        let outcome = run::run(
            &task, start, config, options, device, collective, &mut steps,
        );
        if let Some(tracker) = steps.tracker {
            tracker.finish();
        }
        self.program.training_ends();
        outcome.map_err(|error| self.with_advice(error))
    }

    /// Adds to an error of a training without enough memory the settings that need less.
    fn with_advice(&self, error: FinetuneError) -> FinetuneError {
        let advice = match self.memory.advice.as_slice() {
            [] => "no smaller setting is known to fit".to_owned(),
            advice => format!("try {}", memory::one_of(advice)),
        };
        error.advised(advice)
    }

    /// The flag that a user must leave out to go on: with it the run would be replaced.
    fn without_overwriting(&self) -> &'static str {
        if self.settings.run.overwrite_output_dir {
            " without `overwrite_output_dir`"
        } else {
            ""
        }
    }

    fn interrupted(&self, step: usize) -> FinetuneError {
        let dir = self.settings.run.output_dir.display();
        let total = self.plan.total_steps;
        FinetuneError::Interrupted(match step {
            0 => format!("stopped before the first of {total} steps was done"),
            _ => format!(
                "stopped after step {step} of {total}, which is saved in {dir}/checkpoints; the same command{} resumes",
                self.without_overwriting()
            ),
        })
    }

    fn finish(
        mut self,
        model: F::Model,
        state: &RunState,
        end: RunEnd,
    ) -> Result<RunOutcome, FinetuneError> {
        let dir = &self.settings.run.output_dir;
        let mut outcome = RunOutcome::new(self.settings.run.seed);
        let untrained = self.record.summary.as_ref();
        if let Some(table) = untrained.and_then(|summary| summary.get("untrained")) {
            outcome.table =
                serde_json::from_value(table.clone()).map_err(|source| FinetuneError::Results {
                    path: dir.join("run.json"),
                    source,
                })?;
        }
        outcome.results.extend([
            ("global_step".to_owned(), json!(state.step)),
            ("loss".to_owned(), json!(state.totals.mean_loss())),
            ("train_seconds".to_owned(), json!(state.seconds.training)),
        ]);
        if let Some(best) = state.best {
            outcome
                .results
                .insert("best_step".to_owned(), json!(best.step));
        }
        let collective = self.program.collective();
        let mut files = None;
        made_by_leader(collective, || {
            save(&model, self.family.config(), dir)?;
            save_tokenizer(self.family.tokenizer(), self.longest_row(), dir)?;
            files = Some(Replacement::new(dir)?);
            Ok::<_, FinetuneError>(())
        })?;
        let started = Instant::now();
        let evaluation = self.evaluate(&model.valid(), Purpose::Results(files.as_mut()));
        let evaluation = evaluation.map_err(|error| {
            if error.is_stop() {
                FinetuneError::Interrupted(format!(
                    "stopped while predicting; the model in {} is trained, and the same command{} predicts with it",
                    dir.display(),
                    self.without_overwriting()
                ))
            } else {
                error
            }
        })?;
        self.other_evaluation += started.elapsed();
        let mut task = None;
        if let Some(mut evaluation) = evaluation {
            task = evaluation.report.take();
            outcome.add_final("fine-tuned", evaluation);
            if collective.leads() {
                outcome.warn_of_nothing_learnt();
            }
        }
        made_by_leader(collective, || {
            if let Some(mut files) = files {
                write_eval_results(&mut files, &outcome.results)?;
                files.commit()?;
            }
            let summary = Summary {
                dir,
                state,
                end,
                examples: F::EXAMPLES,
                data_seconds: self.data_seconds,
                other_evaluation: self.other_evaluation,
                left_out: &self.family.left_out(),
            };
            self.record.finish(summary.to_json(&outcome));
            self.record.write(dir)?;
            summary.log();
            let device = self.settings.run.compute.device;
            let data = report::look_at_data(&self.settings.task, self.family.tokenizer());
            report::leave(dir, self.family.task_name(), device, data, task);
            report::leave_card(dir);
            Ok(outcome)
        })
    }

    fn evaluate(
        &self,
        model: &F::Model,
        purpose: Purpose<'_>,
    ) -> Result<Option<Evaluation>, FinetuneError> {
        let scoring = self.settings.scoring(self.backend, self.program);
        let evaluation = self.family.evaluate(model, &scoring, purpose);
        evaluation.map_err(FinetuneError::of_evaluation::<F>)
    }
}

/// Follows the steps, and evaluates between them.
struct Steps<'a, F> {
    session: &'a Session<'a, F>,
    /// `None` in a process that does not lead.
    tracker: Option<Tracker>,
}

impl<F: Family> Hooks<F::Model> for Steps<'_, F> {
    type Error = FinetuneError;

    fn step(&mut self, record: &StepRecord, seconds: f64) {
        if let Some(tracker) = &mut self.tracker {
            tracker.step(record, seconds);
        }
    }

    fn evaluate(&mut self, model: &F::Model, step: usize) -> Result<Evaluated, FinetuneError> {
        match self.session.evaluate(model, Purpose::Comparison) {
            Ok(Some(evaluation)) => {
                if let Some(tracker) = &mut self.tracker {
                    tracker.evaluated(step, &evaluation);
                }
                Ok(Evaluated::Score(evaluation.score))
            }
            Ok(None) => Ok(Evaluated::Score(None)),
            Err(error) if error.is_stop() => Ok(Evaluated::GivenUp),
            Err(error) if error.is_not_finite() => Ok(Evaluated::NotFinite(error.to_string())),
            Err(error) => Err(error),
        }
    }

    fn saved(&mut self, state: &SavedState) {
        if let Some(tracker) = &mut self.tracker {
            tracker.saved(state);
        }
    }

    fn stop_requested(&self) -> bool {
        self.session.program.stop_requested()
    }
}
