//! Adam with decoupled weight decay: AdamW (Loshchilov & Hutter 2019), and BertAdam, which Devlin et al. train BERT with.
//!
//! BertAdam does not correct the moments for their bias, and its epsilon is 1e-6; the 2018 scripts clip each tensor's
//! gradient on its own. State is keyed by checkpoint names, which outlive a process.

mod clip;
mod device;
mod host;
mod shared;
mod update;

use std::collections::HashMap;

use bert_model::parameters::{ParameterInfo, Part};
use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use self::device::DeviceState;
use self::host::HostState;
use self::shared::SharedState;
use self::update::Coefficients;
use crate::TrainError;

pub use clip::GradientClip;

/// The optimiser's constants; the defaults are BertAdam's, those of Devlin et al.'s `optimization.py` with the 2018
/// PyTorch scripts' clipping.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AdamConfig {
    /// Whether moments are corrected for their bias: AdamW.
    pub bias_correction: bool,
    /// Decay of the first moment.
    pub beta_1: f64,
    /// Decay of the second moment.
    pub beta_2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Decoupled weight decay, for all parameters but biases and LayerNorm.
    pub weight_decay: f64,
    /// What is done to large gradients.
    pub clip: GradientClip,
    /// The learning rate of a layer as a share of that of the layer above; the head's and the pooler's is the whole
    /// (Zhang et al. 2021, "Revisiting few-sample BERT fine-tuning").
    pub layer_lr_decay: f64,
}

impl Default for AdamConfig {
    fn default() -> Self {
        Self {
            bias_correction: false,
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-6,
            weight_decay: 0.01,
            clip: GradientClip::PerTensor(1.0),
            layer_lr_decay: 1.0,
        }
    }
}

/// What an update depends on besides values and constants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Step {
    /// Of the parts above the encoder.
    pub(crate) learning_rate: f64,
    /// Counted from 1.
    pub(crate) number: usize,
    /// The share of the new weights in their average; `None` where none is kept.
    pub(crate) share: Option<f64>,
}

/// Where moments and master weights live and updates are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Residency {
    /// In the device's memory, in tensor operations.
    Device,
    /// In host memory, in one parallel pass over it; the device holds weights and gradients only.
    Host,
    /// The device's memory is the host's: one parallel pass over the tensors' own buffers.
    Shared,
}

/// The optimiser and its state.
pub struct Adam {
    rule: Rule,
    state: State,
}

/// What an update depends on besides values.
struct Rule {
    config: AdamConfig,
    parameters: HashMap<ParamId, ParameterInfo>,
    /// Each parameter's share of the learning rate.
    rates: HashMap<ParamId, f64>,
    /// The parameters in the order of the module's fields.
    order: Vec<ParamId>,
}

/// The moments, where they live, and how they are updated there.
enum State {
    Device(DeviceState),
    Host(HostState),
    Shared(SharedState),
}

/// Takes the sums of some gradients that the backward pass adds nothing to any more, if it has use for them so early;
/// else they stay where they are.
pub(crate) type TakeGradients<'a, M> =
    dyn FnMut(&M, &mut GradientsParams, &[ParamId]) -> Result<(), TrainError> + 'a;

impl Adam {
    /// An optimiser with empty moments for every parameter of an encoder with `layers` layers that is trained, in the order
    /// of the module's fields.
    pub fn new(
        config: AdamConfig,
        residency: Residency,
        parameters: Vec<ParameterInfo>,
        layers: usize,
    ) -> Self {
        let rate = |part| config.layer_lr_decay.powi(parts_above(part, layers) as i32);
        Self {
            rule: Rule {
                config,
                rates: parameters
                    .iter()
                    .map(|info| (info.id, rate(info.part)))
                    .collect(),
                order: parameters.iter().map(|info| info.id).collect(),
                parameters: parameters.into_iter().map(|info| (info.id, info)).collect(),
            },
            state: match residency {
                Residency::Device => State::Device(DeviceState::default()),
                Residency::Host => State::Host(HostState::default()),
                Residency::Shared => State::Shared(SharedState::default()),
            },
        }
    }

    /// The parameters by their ids.
    pub(crate) fn parameters(&self) -> &HashMap<ParamId, ParameterInfo> {
        &self.rule.parameters
    }

    /// Updates every parameter that `backward` finds a gradient for, and returns the model, the norm of all gradients
    /// before clipping, `[1]`, and what `backward` returns. It hands gradients to its second argument as it finds them,
    /// and returns those that were left. No clone of the model should be alive: an update in place would have to copy
    /// what it shares.
    ///
    /// # Errors
    /// Those of `backward`, and [`TrainError::Device`] when gradients or weights cannot be read.
    pub(crate) fn update<M: Module, R>(
        &mut self,
        model: M,
        step: Step,
        backward: impl FnOnce(&M, &mut TakeGradients<'_, M>) -> Result<(GradientsParams, R), TrainError>,
    ) -> Result<(M, Tensor<1>, R), TrainError> {
        let rule = &self.rule;
        match &mut self.state {
            State::Host(state) => state.update(rule, model, step, backward),
            State::Device(state) => {
                let (gradients, outcome) = backward(&model, &mut |_, _, _| Ok(()))?;
                let (model, norm) = state.update(rule, model, gradients, step);
                Ok((model, norm, outcome))
            }
            State::Shared(state) => {
                let (gradients, outcome) = backward(&model, &mut |_, _, _| Ok(()))?;
                let (model, norm) = state.update(rule, model, gradients, step)?;
                Ok((model, norm, outcome))
            }
        }
    }

    /// The model with the average of its weights, where one is kept; else as it is. The optimiser goes on with its own.
    pub(crate) fn averaged<M: Module>(&self, model: M) -> M {
        model.map(&mut Averaged(&self.state))
    }

    /// Every parameter's moments by its name in a checkpoint; none before the first step.
    ///
    /// # Errors
    /// [`TrainError::Device`] when a moment cannot be read.
    pub fn moments(&self) -> Result<HashMap<String, Moments>, TrainError> {
        let moments = match &self.state {
            State::Device(state) => state.moments()?,
            State::Host(state) => state.moments().clone(),
            State::Shared(state) => state.moments().clone(),
        };
        let named = moments.into_iter().filter_map(|(id, moments)| {
            let info = self.rule.parameters.get(&id)?;
            Some((info.name.clone(), moments))
        });
        Ok(named.collect())
    }

    /// Goes on with an earlier run's moments, by the names of their parameters in a checkpoint; those of
    /// parameters that the model does not have are not used. `device` is the model's, without autodiff.
    pub fn set_moments(&mut self, mut moments: HashMap<String, Moments>, device: &Device) {
        for (id, info) in &self.rule.parameters {
            let Some(moments) = moments.remove(&info.name) else {
                continue;
            };
            match &mut self.state {
                State::Device(state) => state.set(*id, moments, device),
                State::Host(state) => state.set(*id, moments),
                State::Shared(state) => state.set(*id, moments),
            }
        }
    }
}

/// How many parts lie between one and the head.
fn parts_above(part: Part, layers: usize) -> usize {
    match part {
        Part::Head => 0,
        Part::Layer(n) => layers.saturating_sub(n),
        Part::Embeddings => layers + 1,
    }
}

/// Replaces weights by their averages.
struct Averaged<'a>(&'a State);

impl ModuleMapper for Averaged<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let moments = match self.0 {
            State::Device(state) => match state.average(param.id) {
                Some(average) => return with_values(param, average),
                None => return param,
            },
            State::Host(state) => state.moments(),
            State::Shared(state) => state.moments(),
        };
        match moments.get(&param.id).and_then(|it| it.average.clone()) {
            None => param,
            Some(average) => with_host_values(param, average),
        }
    }
}

/// A trained parameter with other values, which are on its device.
fn with_values<const D: usize>(param: Param<Tensor<D>>, values: Tensor<1>) -> Param<Tensor<D>> {
    param.map(|old| values.reshape(old.dims()).autodiff().require_grad())
}

/// A trained parameter with other values, row-major.
pub(crate) fn with_host_values<const D: usize>(
    param: Param<Tensor<D>>,
    values: Vec<f32>,
) -> Param<Tensor<D>> {
    let (count, device) = (values.len(), param.val().device().without_autodiff());
    let values = Tensor::from_data(TensorData::new(values, [count]), &device);
    with_values(param, values)
}

impl Rule {
    /// The factors on the first moment, and on the root of the second.
    fn corrections(&self, step: &Step) -> [f64; 2] {
        if !self.config.bias_correction {
            return [1.0; 2];
        }
        let old = |beta: f64| beta.powf(step.number as f64);
        let (first, second) = (1.0 - old(self.config.beta_1), 1.0 - old(self.config.beta_2));
        [first.recip(), second.sqrt().recip()]
    }

    /// What the update of one parameter depends on, given the norm of its gradient and of all.
    fn coefficients(&self, id: ParamId, step: &Step, own: f64, all: f64) -> Coefficients {
        let [correction_1, correction_2] = self.corrections(step).map(|it| it as f32);
        Coefficients {
            clip: self.config.clip.factor(own, all) as f32,
            learning_rate: (step.learning_rate * self.rate_of(id)) as f32,
            decay: self.decay_of(id) as f32,
            correction_1,
            correction_2,
            share: step.share.map(|share| share as f32),
            config: self.config,
        }
    }

    /// One parameter's share of the learning rate.
    fn rate_of(&self, id: ParamId) -> f64 {
        self.rates.get(&id).copied().unwrap_or(1.0)
    }

    /// The weight decay of one parameter.
    fn decay_of(&self, id: ParamId) -> f64 {
        let decays = self.parameters.get(&id).is_some_and(|info| info.decays);
        if decays {
            self.config.weight_decay
        } else {
            0.0
        }
    }
}

/// A parameter's moments and the average of its weights, in the module's layout.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    /// Running mean of the gradient.
    pub first: Vec<f32>,
    /// Running mean of its square.
    pub second: Vec<f32>,
    /// Average of the weights, where one is kept and has begun.
    pub average: Option<Vec<f32>>,
}

impl Moments {
    /// Those of a parameter that was never updated.
    fn zeros(count: usize) -> Self {
        Self {
            first: vec![0.0; count],
            second: vec![0.0; count],
            average: None,
        }
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod adamw_tests;
