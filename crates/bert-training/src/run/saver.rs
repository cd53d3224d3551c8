//! Run states, written beside the steps.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bert_files::FileError;
use bert_model::checkpoint::{save_values, write_tensors};
use bert_model::heads::TaskModel;
use bert_model::parameters::{HostParameter, NamedValues};
use bert_model::{BertConfig, ModelError};
use bert_records::RunStateStore;

use super::RunState;
use super::files::{OPTIMIZER, STATE, first_moment, last_weights, second_moment};
use crate::TrainError;
use crate::trainer::Snapshot;

/// When and where a run is saved.
#[derive(Clone)]
pub struct RunSaving {
    /// The folder of the run states, and how many are kept.
    pub store: RunStateStore,
    /// Optimiser steps between two run states.
    pub save_steps: Option<usize>,
    /// Time between two run states.
    pub save_every: Option<Duration>,
    /// What the run is: a digest of its settings and inputs. A run state of another is refused.
    pub run: String,
    /// The model's configuration, for the run state's `config.json`.
    pub config: BertConfig,
    /// Names and contents of what a run state needs besides, so that it can be used like any other: the
    /// tokenizer's files.
    pub companions: Arc<[(&'static str, Vec<u8>)]>,
}

/// A run state that is whole and on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedState {
    /// Optimiser steps done before it.
    pub step: usize,
    /// Its folder.
    pub path: PathBuf,
}

/// Saves a run as often as was asked for, one run state at a time.
pub(super) struct Saver<'a> {
    plan: Option<&'a RunSaving>,
    in_flight: Option<JoinHandle<Result<SavedState, TrainError>>>,
    /// The newest run state on disk.
    newest: Option<SavedState>,
    /// What the newest run state, perhaps still being written, holds: steps and evaluations done.
    holds: Option<(usize, usize)>,
    since: Instant,
}

impl<'a> Saver<'a> {
    /// `resumed` is the state that the run goes on from.
    pub(super) fn new(plan: Option<&'a RunSaving>, resumed: Option<&RunState>) -> Self {
        let newest = plan.zip(resumed).map(|(plan, state)| SavedState {
            step: state.step,
            path: plan.store.path(state.step as u64),
        });
        Self {
            plan,
            in_flight: None,
            newest,
            holds: resumed.map(contents),
            since: Instant::now(),
        }
    }

    /// Whether a run state is due by steps or by time.
    pub(super) fn is_due(&self, state: &RunState) -> bool {
        self.plan.is_some_and(|plan| {
            plan.save_steps
                .is_some_and(|steps| state.step.is_multiple_of(steps))
                || plan
                    .save_every
                    .is_some_and(|time| self.since.elapsed() >= time)
        })
    }

    /// Whether the state as it is would be lost by a kill.
    pub(super) fn lacks(&self, state: &RunState) -> bool {
        self.plan.is_some() && state.step > 0 && self.holds != Some(contents(state))
    }

    /// Starts writing a run state, once the one before it is written.
    pub(super) fn start<M: TaskModel>(
        &mut self,
        snapshot: Snapshot,
        state: &RunState,
    ) -> Result<(), TrainError> {
        let Some(plan) = self.plan else {
            return Ok(());
        };
        self.wait()?;
        self.since = Instant::now();
        self.holds = Some(contents(state));
        let (plan, state) = (plan.clone(), state.clone());
        let dir = plan.store.dir().to_owned();
        let thread = std::thread::Builder::new().name("run-state".into());
        let thread = thread.spawn(move || write::<M>(&plan, snapshot, &state));
        self.in_flight = Some(thread.map_err(|source| TrainError::Write { path: dir, source })?);
        Ok(())
    }

    /// The run state that has come to be on disk since the last call.
    ///
    /// # Errors
    /// When it could not be written.
    pub(super) fn poll(&mut self) -> Result<Option<SavedState>, TrainError> {
        if self.in_flight.as_ref().is_some_and(JoinHandle::is_finished) {
            self.wait()
        } else {
            Ok(None)
        }
    }

    /// Waits for the run state that is being written, if one is.
    ///
    /// # Errors
    /// When it could not be written.
    pub(super) fn wait(&mut self) -> Result<Option<SavedState>, TrainError> {
        let Some(thread) = self.in_flight.take() else {
            return Ok(None);
        };
        let outcome = thread
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let saved = outcome.map_err(|error| TrainError::NotSaved {
            source: Box::new(error),
            newest: self.newest.as_ref().map(|newest| newest.path.clone()),
        })?;
        self.newest = Some(saved.clone());
        Ok(Some(saved))
    }

    /// The newest run state on disk.
    pub(super) fn newest(&self) -> Option<&SavedState> {
        self.newest.as_ref()
    }
}

impl Drop for Saver<'_> {
    /// A run that ends by an error does not cut off a run state that is being written.
    fn drop(&mut self) {
        if let Some(thread) = self.in_flight.take() {
            // The run has an error to tell already.
            let _ = thread.join();
        }
    }
}

fn contents(state: &RunState) -> (usize, usize) {
    (state.step, state.evaluations.len())
}

fn write<M: TaskModel>(
    plan: &RunSaving,
    snapshot: Snapshot,
    state: &RunState,
) -> Result<SavedState, TrainError> {
    let best = state.best.map(|best| best.step as u64);
    let step = state.step as u64;
    let path = plan.store.write(step, best.as_slice(), |dir| {
        fill::<M>(plan, snapshot, state, dir)
            .map_err(|error| named_finally(error, &plan.store.path(step)))
    })?;
    Ok(SavedState {
        step: state.step,
        path,
    })
}

/// An error with the name that the file would have had: the temporary folder is gone when it is read.
fn named_finally(mut error: TrainError, dir: &Path) -> TrainError {
    if let TrainError::Write { path, .. }
    | TrainError::Model(ModelError::File(FileError::Write { path, .. })) = &mut error
        && let Some(name) = path.file_name()
    {
        *path = dir.join(name);
    }
    error
}

fn fill<M: TaskModel>(
    plan: &RunSaving,
    snapshot: Snapshot,
    state: &RunState,
    dir: &Path,
) -> Result<(), TrainError> {
    let Snapshot {
        weights,
        mut moments,
    } = snapshot;
    let mut stored = Vec::with_capacity(weights.len());
    let mut values = Vec::with_capacity(2 * weights.len());
    for HostParameter { info, values: own } in weights {
        let mut shown = own;
        if let Some(state) = moments.remove(&info.name) {
            values.push(info.to_file(first_moment(&info.name), state.first));
            values.push(info.to_file(second_moment(&info.name), state.second));
            if let Some(average) = state.average {
                let last = std::mem::replace(&mut shown, average);
                values.push(info.to_file(last_weights(&info.name), last));
            }
        }
        stored.push(info.to_file(info.name.clone(), shown));
    }
    save_values::<M>(&stored, &plan.config, dir)?;
    drop::<Vec<NamedValues>>(stored);
    write_tensors(&dir.join(OPTIMIZER), &values)?;
    drop(values);
    // Without a line end: every lost byte shows.
    let state = serde_json::to_vec_pretty(state).map_err(|source| TrainError::Write {
        path: dir.join(STATE),
        source: source.into(),
    })?;
    let companions = plan.companions.iter();
    let companions = companions.map(|(name, content)| (*name, content.as_slice()));
    for (name, content) in companions.chain([(STATE, state.as_slice())]) {
        let path = dir.join(name);
        std::fs::write(&path, content).map_err(|source| TrainError::Write { path, source })?;
    }
    Ok(())
}
