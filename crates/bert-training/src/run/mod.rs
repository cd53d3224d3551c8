//! A whole run: steps, evaluations on the way, run states, and the way back from one.
//!
//! A run that is stopped at any moment and resumed from its newest run state does the same steps, on the same
//! data, with the same dropout masks, as one that never was: the order of the data and the masks are functions
//! of the seed and the step, and all else that a step depends on is in the run state. On a CPU, whose sums do
//! not depend on chance, it ends with the same bits.

mod files;
mod pending;
mod resume;
mod saver;
mod state;

use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::time::Instant;

use bert_features::batch::ahead;
use bert_model::Encoder;
use bert_model::heads::TaskModel;
use bert_model::parameters::{self, HostParameter};
use burn::module::Module;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use self::pending::Pending;
use self::saver::Saver;
use crate::batches::epoch;
use crate::collate::{Collator, StepBatch};
use crate::collective::{Alone, Collective, made_by_leader};
use crate::share::Share;
use crate::trainer::Position;
use crate::{StepRecord, Task, TrainConfig, TrainError, Trainer};

pub use resume::{Found, Resumed, accumulation, best_model, find, resume};
pub use saver::{RunSaving, SavedState};
pub use state::{EvaluationPoint, RunState, Seconds, Totals};

/// What a run does besides its steps.
#[derive(Default)]
pub struct RunOptions {
    /// Where and when it is saved; `None`: never, and nothing can be resumed.
    pub saving: Option<RunSaving>,
    /// Optimiser steps between two evaluations; the last step is evaluated too. Needs run states: the best
    /// model is one of them.
    pub eval_steps: Option<usize>,
    /// Evaluations without a better score after which the run ends.
    pub early_stopping_patience: Option<usize>,
}

/// What a run tells, and asks.
pub trait Hooks<M> {
    /// What an evaluation can fail with.
    type Error: From<TrainError> + std::fmt::Display;

    /// A step is done, and took `seconds`; told in order, possibly some steps later (see
    /// [`TrainConfig::read_every`]): steps that are read together have equal shares of their time.
    fn step(&mut self, record: &StepRecord, seconds: f64);

    /// Evaluates the model after `step` steps. Every process is asked; the leading one's outcome counts.
    ///
    /// # Errors
    /// When the model cannot be evaluated, which ends the run.
    fn evaluate(&mut self, model: &M, step: usize) -> Result<Evaluated, Self::Error>;

    /// A run state is on disk.
    fn saved(&mut self, _state: &SavedState) {}

    /// Whether the run is to end at the next step's end.
    fn stop_requested(&self) -> bool {
        false
    }
}

/// What an evaluation came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Evaluated {
    /// A score, more is better; `None` where it is not defined.
    Score(Option<f64>),
    /// The model's outputs are no numbers, and how that shows; it ends the run.
    NotFinite(String),
    /// It was given up because [`Hooks::stop_requested`], and is done when the run is resumed.
    GivenUp,
}

/// Is told of each step, where a run needs no more than that.
pub trait Observer {
    /// A step is done.
    fn step(&mut self, record: &StepRecord);
}

/// Where a run begins.
pub enum Start<M> {
    /// With its first step, from these weights.
    Fresh(M),
    /// After the last step of a run state.
    Resumed(Box<Resumed<M>>),
}

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunEnd {
    /// Every step is done.
    Completed,
    /// The scores had stopped improving.
    StoppedEarly,
    /// It was asked to; a run state holds all it has done.
    Interrupted,
}

/// A model at the end of its run.
pub struct Trained<M> {
    /// The model after the last step, or the average of its weights, which need not be the best: see [`best_model`].
    pub model: M,
    /// Where it stood at its end.
    pub state: RunState,
    /// Why it ended.
    pub end: RunEnd,
}

/// Fine-tunes `model` without run states or evaluations and returns it. `device` is that of the model, an
/// autodiff device.
///
/// # Errors
/// When a setting is bad, a parameter receives no gradient in the first step, a loss is not finite, or
/// the device fails.
pub fn train<T: Task>(
    task: &T,
    model: T::Model,
    config: &TrainConfig,
    device: &Device,
    observer: &mut dyn Observer,
) -> Result<T::Model, TrainError> {
    let options = RunOptions::default();
    let mut hooks = StepsOnly(observer);
    let outcome = run(
        task,
        Start::Fresh(model),
        config,
        &options,
        device,
        &Alone,
        &mut hooks,
    )?;
    Ok(outcome.model)
}

struct StepsOnly<'a>(&'a mut dyn Observer);

impl<M> Hooks<M> for StepsOnly<'_> {
    type Error = TrainError;

    fn step(&mut self, record: &StepRecord, _seconds: f64) {
        self.0.step(record);
    }

    fn evaluate(&mut self, _model: &M, _step: usize) -> Result<Evaluated, TrainError> {
        Ok(Evaluated::Score(None))
    }
}

/// Fine-tunes a model, evaluating and saving on the way, until every step is done, the scores have stopped improving, or
/// a process of `collective` asks to stop. `device` is that of the model, an autodiff device.
///
/// # Errors
/// When a setting is bad, a parameter receives no gradient in the first step, a loss is not finite, an evaluation
/// fails, a run state cannot be written, or the device fails.
pub fn run<T: Task, H: Hooks<T::Model>>(
    task: &T,
    start: Start<T::Model>,
    config: &TrainConfig,
    options: &RunOptions,
    device: &Device,
    collective: &dyn Collective,
    hooks: &mut H,
) -> Result<Trained<T::Model>, H::Error> {
    options.validate()?;
    let collator = Collator::new(task, config.padding);
    let run = Run::new(task, start, config, options, device, collective)?;
    std::thread::scope(|scope| {
        let first = (run.state.epoch, run.state.step_in_epoch);
        let share = Share {
            rank: collective.rank(),
            size: collective.size(),
        };
        let batches = ahead(scope, batches_from(first, &collator, config, share))
            .map_err(TrainError::Thread)?;
        run.finish(batches, hooks)
    })
}

/// A process's share of every step's batch from a place (epoch, step in the epoch) on, without end.
fn batches_from<T: Task>(
    (first_epoch, first_step): (usize, usize),
    collator: &Collator<'_, T>,
    config: &TrainConfig,
    share: Share,
) -> impl Iterator<Item = Drawn<T::Targets>> {
    (first_epoch..).flat_map(move |number| {
        let lengths = collator.lengths();
        let steps = epoch(lengths, &config.batches(), config.seed, number as u64);
        let skipped = if number == first_epoch { first_step } else { 0 };
        let count = steps.len();
        let places = steps.into_iter().enumerate().skip(skipped);
        places.map(move |(place, step)| Drawn {
            batch: collator.collate(&step, share),
            is_last_of_epoch: place + 1 == count,
        })
    })
}

/// A step's batch.
struct Drawn<T> {
    batch: StepBatch<T>,
    is_last_of_epoch: bool,
}

impl RunOptions {
    /// Checks every value.
    ///
    /// # Errors
    /// [`TrainError::Setting`] with the name of the first bad one.
    pub fn validate(&self) -> Result<(), TrainError> {
        let saving = self.saving.as_ref();
        let counts = [
            ("save_steps", saving.and_then(|saving| saving.save_steps)),
            ("eval_steps", self.eval_steps),
            ("early_stopping_patience", self.early_stopping_patience),
        ];
        let fail = |setting, found: &str, expected: &str| {
            Err(TrainError::Setting {
                setting,
                found: found.to_owned(),
                expected: expected.to_owned(),
            })
        };
        for (setting, value) in counts {
            if value == Some(0) {
                return fail(setting, "0", "at least 1");
            }
        }
        if self.early_stopping_patience.is_some() && self.eval_steps.is_none() {
            let expected = "evaluations to be patient with: give `eval_steps`";
            return fail("early_stopping_patience", "no evaluations", expected);
        }
        if self.eval_steps.is_some() && saving.is_none() {
            return fail("eval_steps", "no run states", "a place for the best model");
        }
        Ok(())
    }
}

/// A run between two of its steps.
struct Run<'a, T: Task> {
    trainer: Trainer<'a, T>,
    config: &'a TrainConfig,
    options: &'a RunOptions,
    collective: &'a dyn Collective,
    state: RunState,
    saver: Saver<'a>,
    pending: Pending,
    /// When the first of the pending steps began.
    reading_since: Instant,
}

impl<'a, T: Task> Run<'a, T> {
    fn new(
        task: &'a T,
        start: Start<T::Model>,
        config: &'a TrainConfig,
        options: &'a RunOptions,
        device: &Device,
        collective: &'a dyn Collective,
    ) -> Result<Self, TrainError> {
        let saving = options.saving.as_ref();
        let written = saving.filter(|_| collective.leads());
        let (model, resumed) = match start {
            Start::Fresh(model) => (model, None),
            Start::Resumed(resumed) => {
                let Resumed {
                    model,
                    state,
                    moments,
                    ..
                } = *resumed;
                (model, Some((state, moments)))
            }
        };
        let mut trainer = Trainer::new(task, model, config, device, collective)?;
        trainer.say_way();
        let name = saving.map_or_else(String::new, |saving| saving.run.clone());
        let (state, saver) = match resumed {
            None => {
                let mut state = RunState::new(name, config.seed, trainer.plan());
                state.accumulation = config.recipe.gradient_accumulation_steps;
                (state, Saver::new(written, None))
            }
            Some((state, moments)) => {
                let position = Position {
                    step: state.step,
                    forward_passes: state.forward_passes,
                };
                trainer.continue_from(position, moments);
                let saver = Saver::new(written, Some(&state));
                (state, saver)
            }
        };
        Ok(Self {
            trainer,
            config,
            options,
            collective,
            state,
            saver,
            pending: Pending::new(),
            reading_since: Instant::now(),
        })
    }

    fn finish<H: Hooks<T::Model>>(
        mut self,
        batches: Receiver<Drawn<T::Targets>>,
        hooks: &mut H,
    ) -> Result<Trained<T::Model>, H::Error> {
        loop {
            let is_best = self.evaluate_if_due(hooks)?;
            let end = self.end(hooks)?;
            if self.saver.lacks(&self.state)
                && (is_best || end.is_some() || self.saver.is_due(&self.state))
            {
                self.save(hooks)?;
            }
            if let Some(end) = end {
                self.wait(hooks)?;
                return Ok(Trained {
                    model: self.trainer.into_model(),
                    state: self.state,
                    end,
                });
            }
            let started = Instant::now();
            let drawn = batches.recv().expect("there is always another batch");
            self.step(&drawn, started, hooks)?;
            if let Some(saved) = self.saver.poll()? {
                hooks.saved(&saved);
            }
        }
    }

    /// Evaluates the model where that is due; returns whether it is the best so far.
    fn evaluate_if_due<H: Hooks<T::Model>>(&mut self, hooks: &mut H) -> Result<bool, H::Error> {
        let step = self.state.step;
        let due = self.options.eval_steps.is_some_and(|every| {
            step > 0 && (step.is_multiple_of(every) || step == self.state.total_steps)
        });
        if !due || self.state.is_evaluated() || self.stop_requested(hooks)? {
            return Ok(false);
        }
        self.read(hooks)?;
        // Scores of such a model would be blamed on the data.
        let names = <T::Model as TaskModel>::Encoder::NAMES;
        let weights = parameters::to_host(self.trainer.model(), names).map_err(TrainError::from)?;
        self.check_weights(&weights)?;
        let started = Instant::now();
        // The processes share the work, and what follows from it is the same in all.
        let outcome = hooks.evaluate(&self.trainer.averaged_model().valid(), step)?;
        let outcome = made_by_leader(self.collective, || Ok::<_, TrainError>(outcome))?;
        self.state.seconds.evaluation += started.elapsed().as_secs_f64();
        match outcome {
            Evaluated::Score(score) => Ok(self.state.evaluated(score)),
            Evaluated::GivenUp => Ok(false),
            Evaluated::NotFinite(reason) => {
                let (recent, state) = self.last_good();
                Err(TrainError::OutputNotFinite {
                    reason,
                    step,
                    total_steps: self.state.total_steps,
                    recent,
                    state,
                }
                .into())
            }
        }
    }

    fn end<H: Hooks<T::Model>>(&self, hooks: &H) -> Result<Option<RunEnd>, TrainError> {
        let state = &self.state;
        let evaluated = self.options.eval_steps.is_none() || state.is_evaluated();
        let patience = self.options.early_stopping_patience;
        if state.step == state.total_steps && evaluated {
            Ok(Some(RunEnd::Completed))
        } else if patience.is_some_and(|most| state.evaluations_without_improvement() >= most) {
            Ok(Some(RunEnd::StoppedEarly))
        } else {
            Ok(self.stop_requested(hooks)?.then_some(RunEnd::Interrupted))
        }
    }

    /// Whether any process is asked to stop.
    fn stop_requested<H: Hooks<T::Model>>(&self, hooks: &H) -> Result<bool, TrainError> {
        Ok(self.collective.any(hooks.stop_requested())?)
    }

    fn save<H: Hooks<T::Model>>(&mut self, hooks: &mut H) -> Result<(), H::Error> {
        // A model whose last losses are unknown may hold NaN.
        self.read(hooks)?;
        // One at a time, so that host memory holds one snapshot.
        self.wait(hooks)?;
        let started = Instant::now();
        let snapshot = self.trainer.snapshot()?;
        self.check_weights(&snapshot.weights)?;
        self.saver.start::<T::Model>(snapshot, &self.state)?;
        self.state.seconds.saving += started.elapsed().as_secs_f64();
        Ok(())
    }

    /// An update can overflow although its loss and gradient were finite.
    fn check_weights(&mut self, weights: &[HostParameter]) -> Result<(), TrainError> {
        for HostParameter { info, values } in weights {
            if let Some(found) = values.iter().find(|value| !value.is_finite()) {
                let (recent, state) = self.last_good();
                return Err(TrainError::WeightNotFinite {
                    name: info.name.clone(),
                    found: *found,
                    step: self.state.step,
                    total_steps: self.state.total_steps,
                    recent,
                    state,
                });
            }
        }
        Ok(())
    }

    /// The last steps, oldest first, and the newest run state, for a run that ends because something is no number.
    fn last_good(&mut self) -> (Vec<StepRecord>, Option<PathBuf>) {
        // The run ends with the error that it has; that a run state could not be written either adds nothing to it.
        let _ = self.saver.wait();
        let state = self.saver.newest().map(|newest| newest.path.clone());
        (self.pending.recent(), state)
    }

    fn wait<H: Hooks<T::Model>>(&mut self, hooks: &mut H) -> Result<(), TrainError> {
        let started = Instant::now();
        if let Some(saved) = self.saver.wait()? {
            hooks.saved(&saved);
        }
        self.state.seconds.saving += started.elapsed().as_secs_f64();
        Ok(())
    }

    /// Does a step, which began when its batch was waited for.
    fn step<H: Hooks<T::Model>>(
        &mut self,
        drawn: &Drawn<T::Targets>,
        started: Instant,
        hooks: &mut H,
    ) -> Result<(), H::Error> {
        if self.pending.is_empty() {
            self.reading_since = started;
        }
        self.pending.push(self.trainer.step(&drawn.batch)?);
        let Position {
            step,
            forward_passes,
        } = self.trainer.position();
        self.state.step = step;
        self.state.forward_passes = forward_passes;
        self.state.step_in_epoch += 1;
        if drawn.is_last_of_epoch {
            self.state.epoch += 1;
            self.state.step_in_epoch = 0;
        }
        if step.is_multiple_of(self.config.read_every) || step == self.state.total_steps {
            self.read(hooks)?;
        }
        self.state.seconds.training += started.elapsed().as_secs_f64();
        Ok(())
    }

    /// Reads the pending losses. One that is not finite ends the run, with the last run state named.
    fn read<H: Hooks<T::Model>>(&mut self, hooks: &mut H) -> Result<(), TrainError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let outcome = self
            .pending
            .read(&mut self.state, hooks, self.reading_since);
        let Err(mut error) = outcome else {
            return Ok(());
        };
        if let TrainError::NotFinite { state, .. } = &mut error {
            *state = self.last_good().1;
        }
        Err(error)
    }
}
