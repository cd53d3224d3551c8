//! Checkpoints, written beside the steps.

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
use super::files::{OPTIMIZER, STATE, first_moment, second_moment};
use crate::TrainError;
use crate::trainer::Snapshot;

/// When and where a run is saved.
#[derive(Clone)]
pub struct Checkpointing {
    /// The folder of the checkpoints, and how many are kept.
    pub store: RunStateStore,
    /// Optimiser steps between two checkpoints.
    pub save_steps: Option<usize>,
    /// Time between two checkpoints.
    pub save_every: Option<Duration>,
    /// What the run is: a digest of its settings and inputs. A checkpoint of another is refused.
    pub run: String,
    /// The model's configuration, for the checkpoint's `config.json`.
    pub config: BertConfig,
    /// Names and contents of what a checkpoint needs besides, so that it can be used like any other: the
    /// tokenizer's files.
    pub companions: Arc<[(&'static str, Vec<u8>)]>,
}

/// A checkpoint that is whole and on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedCheckpoint {
    /// Optimiser steps done before it.
    pub step: usize,
    /// Its folder.
    pub path: PathBuf,
}

/// Saves a run as often as was asked for, one checkpoint at a time.
pub(super) struct Saver<'a> {
    plan: Option<&'a Checkpointing>,
    in_flight: Option<JoinHandle<Result<SavedCheckpoint, TrainError>>>,
    /// The newest checkpoint on disk.
    newest: Option<SavedCheckpoint>,
    /// What the newest checkpoint, perhaps still being written, holds: steps and evaluations done.
    holds: Option<(usize, usize)>,
    since: Instant,
}

impl<'a> Saver<'a> {
    /// `resumed` is the state that the run goes on from.
    pub(super) fn new(plan: Option<&'a Checkpointing>, resumed: Option<&RunState>) -> Self {
        let newest = plan.zip(resumed).map(|(plan, state)| SavedCheckpoint {
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

    /// Whether a checkpoint is due by steps or by time.
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

    /// Starts writing a checkpoint, once the one before it is written.
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
        let thread = std::thread::Builder::new().name("checkpoint".into());
        let thread = thread.spawn(move || write::<M>(&plan, snapshot, &state));
        self.in_flight = Some(thread.map_err(|source| TrainError::Write { path: dir, source })?);
        Ok(())
    }

    /// The checkpoint that has come to be on disk since the last call.
    ///
    /// # Errors
    /// When it could not be written.
    pub(super) fn poll(&mut self) -> Result<Option<SavedCheckpoint>, TrainError> {
        if self.in_flight.as_ref().is_some_and(JoinHandle::is_finished) {
            self.wait()
        } else {
            Ok(None)
        }
    }

    /// Waits for the checkpoint that is being written, if one is.
    ///
    /// # Errors
    /// When it could not be written.
    pub(super) fn wait(&mut self) -> Result<Option<SavedCheckpoint>, TrainError> {
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

    /// The newest checkpoint on disk.
    pub(super) fn newest(&self) -> Option<&SavedCheckpoint> {
        self.newest.as_ref()
    }
}

impl Drop for Saver<'_> {
    /// A run that ends by an error does not cut off a checkpoint that is being written.
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
    plan: &Checkpointing,
    snapshot: Snapshot,
    state: &RunState,
) -> Result<SavedCheckpoint, TrainError> {
    let best = state.best.map(|best| best.step as u64);
    let step = state.step as u64;
    let path = plan.store.write(step, best.as_slice(), |dir| {
        fill::<M>(plan, snapshot, state, dir)
            .map_err(|error| named_finally(error, &plan.store.path(step)))
    })?;
    Ok(SavedCheckpoint {
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
    plan: &Checkpointing,
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
        stored.push(info.to_file(info.name.clone(), own));
        if let Some(pair) = moments.remove(&info.name) {
            values.push(info.to_file(first_moment(&info.name), pair.first));
            values.push(info.to_file(second_moment(&info.name), pair.second));
        }
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
