//! A run state read back.

use std::collections::HashMap;
use std::path::Path;

use bert_model::checkpoint::{HeadPolicy, config_of, load_as, read_tensors};
use bert_model::heads::TaskModel;
use bert_model::parameters::{self, HostParameter, NamedValues, ParameterInfo};
use bert_model::{BertConfig, Encoder};
use bert_records::{RecordError, RunStateStore};
use burn::module::{ModuleMapper, Param, ParamId};
use burn::tensor::{Device, Tensor};

use super::files::{OPTIMIZER, STATE, first_moment, last_weights, second_moment};
use super::state::FORMAT;
use super::{RunSaving, RunState};
use crate::optimizer::{Moments, with_host_values};
use crate::{TrainConfig, TrainError, TrainPlan};

/// A run, read from a saved state.
pub struct Resumed<M> {
    /// The weights, on the device that was asked for.
    pub model: M,
    /// Everything that is no tensor.
    pub state: RunState,
    /// Why the best model so far is forgotten, where its run state is lost.
    pub best_lost: Option<RecordError>,
    pub(super) moments: HashMap<String, Moments>,
}

/// What a folder of run states has to go on from.
pub struct Found {
    /// Steps done before the newest run state that is intact.
    pub step: Option<usize>,
    /// Each newer one that is damaged, by its step.
    pub damaged: Vec<(u64, RecordError)>,
}

/// Looks for the newest intact run state: one whose files are all as they were written.
///
/// # Errors
/// When the folder, or a run state newer than that, cannot be read, or is another version's: it may be whole.
pub fn find(store: &RunStateStore) -> Result<Found, TrainError> {
    let newest = store.newest_intact()?;
    let mut damaged = Vec::new();
    for (step, error) in newest.damaged {
        if !error.is_damage() {
            return Err(error.into());
        }
        damaged.push((step, error));
    }
    Ok(Found {
        step: newest.step.map(|step| step as usize),
        damaged,
    })
}

/// Reads a run state to go on from it. Its files have been verified; what they say is checked here.
///
/// # Errors
/// When it is another run's or another model's, or cannot be read.
pub fn resume<M: TaskModel>(
    saving: &RunSaving,
    step: usize,
    plan: TrainPlan,
    config: &TrainConfig,
    device: &Device,
) -> Result<Resumed<M>, TrainError> {
    let dir = saving.store.path(step as u64);
    let mut state = read_state(&dir.join(STATE))?;
    check_state(&dir, &state, &expected_state(saving, step, plan, config))?;
    let mut model: M = load_weights(&dir, &saving.config, device)?;
    let recipe = &config.recipe;
    let mut trained = parameters::list(&model, M::Encoder::NAMES);
    trained.retain(|info| recipe.trains(info.part));
    let averages = match recipe.average_share(step, plan.total_steps) {
        None => None,
        Some(_) => Some(parameters::to_host(&model, M::Encoder::NAMES)?),
    };
    let (moments, last) = read_optimizer(&dir.join(OPTIMIZER), &trained, averages)?;
    if !last.is_empty() {
        model = model.map(&mut Giver { weights: last });
    }
    let best_lost = state
        .best
        .and_then(|best| saving.store.verify(best.step as u64).err());
    if best_lost.is_some() {
        state.lose_best();
    }
    Ok(Resumed {
        model,
        state,
        best_lost,
        moments,
    })
}

/// The micro-batches of a step of the run that left a run state.
///
/// # Errors
/// When the run state cannot be read.
pub fn accumulation(store: &RunStateStore, step: usize) -> Result<usize, TrainError> {
    Ok(read_state(&store.path(step as u64).join(STATE))?.accumulation)
}

/// The best model of a run that evaluated on the way; `None` where the last one is the best.
///
/// # Errors
/// When its run state is damaged or cannot be read.
pub fn best_model<M: TaskModel>(
    saving: &RunSaving,
    state: &RunState,
    device: &Device,
) -> Result<Option<M>, TrainError> {
    let Some(best) = state.best.filter(|best| best.step != state.step) else {
        return Ok(None);
    };
    saving.store.verify(best.step as u64)?;
    let dir = saving.store.path(best.step as u64);
    load_weights(&dir, &saving.config, device).map(Some)
}

fn load_weights<M: TaskModel>(
    dir: &Path,
    config: &BertConfig,
    device: &Device,
) -> Result<M, TrainError> {
    let loaded = load_as::<M>(
        dir,
        config_of::<M>(config),
        HeadPolicy::MustBeTrained,
        device,
    )?;
    match loaded.report.unexpected.first() {
        None => Ok(loaded.model),
        Some(name) => Err(TrainError::OtherRun {
            path: loaded.report.path,
            found: format!("a tensor {name}"),
            expected: "the tensors of this model alone".into(),
        }),
    }
}

fn read_state(path: &Path) -> Result<RunState, TrainError> {
    let text = std::fs::read(path).map_err(|source| TrainError::Read {
        path: path.to_owned(),
        source,
    })?;
    serde_json::from_slice(&text).map_err(|source| TrainError::State {
        path: path.to_owned(),
        source,
    })
}

/// What a run state after `step` steps must say of itself.
fn expected_state(
    saving: &RunSaving,
    step: usize,
    plan: TrainPlan,
    config: &TrainConfig,
) -> RunState {
    let mut expected = RunState::new(saving.run.clone(), config.seed, plan);
    expected.step = step;
    expected.epoch = step / plan.steps_per_epoch;
    expected.step_in_epoch = step % plan.steps_per_epoch;
    expected
}

fn check_state(dir: &Path, found: &RunState, expected: &RunState) -> Result<(), TrainError> {
    let numbers = [
        ("format", u64::from(found.format), u64::from(FORMAT)),
        ("seed", found.seed, expected.seed),
        ("step", found.step as u64, expected.step as u64),
        (
            "total_steps",
            found.total_steps as u64,
            expected.total_steps as u64,
        ),
        ("epoch", found.epoch as u64, expected.epoch as u64),
        (
            "step_in_epoch",
            found.step_in_epoch as u64,
            expected.step_in_epoch as u64,
        ),
    ];
    let mut pairs = numbers
        .map(|(key, a, b)| (key, a.to_string(), b.to_string()))
        .to_vec();
    pairs.insert(1, ("run", found.run.clone(), expected.run.clone()));
    match pairs
        .into_iter()
        .find(|(_, found, expected)| found != expected)
    {
        None => Ok(()),
        Some((key, found, expected)) => Err(TrainError::OtherRun {
            path: dir.join(STATE),
            found: format!("{key} {found}"),
            expected: format!("{expected}, that of this run"),
        }),
    }
}

/// Gives weights to a model.
struct Giver {
    weights: HashMap<ParamId, Vec<f32>>,
}

impl ModuleMapper for Giver {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match self.weights.remove(&param.id) {
            Some(weights) => with_host_values(param, weights),
            None => param,
        }
    }
}

/// What an optimiser's file holds: moments by name, and weights that the next step goes on from.
type Stored = (HashMap<String, Moments>, HashMap<ParamId, Vec<f32>>);

/// Every trained parameter's moments, in the module's layout. Where the model's own weights are `averages`, the weights
/// that the next step goes on from are there too.
fn read_optimizer(
    path: &Path,
    parameters: &[ParameterInfo],
    averages: Option<Vec<HostParameter>>,
) -> Result<Stored, TrainError> {
    let mut stored = read_tensors(path)?;
    let mut moments = HashMap::with_capacity(parameters.len());
    let mut last = HashMap::new();
    let by_id = |all: Vec<HostParameter>| -> HashMap<ParamId, Vec<f32>> {
        all.into_iter().map(|it| (it.info.id, it.values)).collect()
    };
    let mut averages = averages.map(by_id);
    for parameter in parameters {
        let first = take(&mut stored, &first_moment(&parameter.name), parameter, path)?;
        let second = take(
            &mut stored,
            &second_moment(&parameter.name),
            parameter,
            path,
        )?;
        let mut average = None;
        if let Some(averages) = &mut averages {
            average = averages.remove(&parameter.id);
            let name = last_weights(&parameter.name);
            let weights = take(&mut stored, &name, parameter, path)?;
            last.insert(parameter.id, weights);
        }
        let own = Moments {
            first,
            second,
            average,
        };
        moments.insert(parameter.name.clone(), own);
    }
    match stored.keys().min() {
        None => Ok((moments, last)),
        Some(name) => Err(TrainError::OtherRun {
            path: path.to_owned(),
            found: format!("a tensor {name}"),
            expected: "the moments of this model's parameters alone".into(),
        }),
    }
}

fn take(
    stored: &mut HashMap<String, NamedValues>,
    name: &str,
    parameter: &ParameterInfo,
    path: &Path,
) -> Result<Vec<f32>, TrainError> {
    let other_run = |found: String| TrainError::OtherRun {
        path: path.to_owned(),
        found,
        expected: format!(
            "one for a parameter of shape {:?}",
            parameter.shape.to_vec()
        ),
    };
    let Some(tensor) = stored.remove(name) else {
        return Err(other_run(format!("no tensor {name}")));
    };
    let found = format!("tensor {name} of shape {:?}", tensor.shape);
    parameter.from_file(tensor).ok_or_else(|| other_run(found))
}
