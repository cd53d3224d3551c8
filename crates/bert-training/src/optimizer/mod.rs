//! BertAdam: Adam as Devlin et al. train BERT.
//!
//! It differs from AdamW (Loshchilov & Hutter 2019) in that the moments are not corrected for their
//! bias, and from PyTorch's in epsilon (1e-6) and in that each tensor's gradient is clipped on its own,
//! as the 2018 scripts do. State is keyed by checkpoint names, which outlive a process.

mod clip;
mod device;
mod host;
mod shared;
mod update;

use std::collections::HashMap;

use bert_model::parameters::ParameterInfo;
use burn::module::{Module, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use self::device::DeviceState;
use self::host::HostState;
use self::shared::SharedState;
use crate::TrainError;

pub use clip::GradientClip;

/// BertAdam's constants; the defaults are those of Devlin et al.'s `optimization.py` with the 2018
/// PyTorch scripts' clipping.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BertAdamConfig {
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
}

impl Default for BertAdamConfig {
    fn default() -> Self {
        Self {
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-6,
            weight_decay: 0.01,
            clip: GradientClip::PerTensor(1.0),
        }
    }
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
pub struct BertAdam {
    rule: Rule,
    state: State,
}

/// What an update depends on besides values.
struct Rule {
    config: BertAdamConfig,
    parameters: HashMap<ParamId, ParameterInfo>,
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

impl BertAdam {
    /// An optimiser with empty moments for every parameter of a model, in the order of the module's fields.
    pub fn new(
        config: BertAdamConfig,
        residency: Residency,
        parameters: Vec<ParameterInfo>,
    ) -> Self {
        Self {
            rule: Rule {
                config,
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
        learning_rate: f64,
        backward: impl FnOnce(&M, &mut TakeGradients<'_, M>) -> Result<(GradientsParams, R), TrainError>,
    ) -> Result<(M, Tensor<1>, R), TrainError> {
        let rule = &self.rule;
        match &mut self.state {
            State::Host(state) => state.update(rule, model, learning_rate, backward),
            State::Device(state) => {
                let (gradients, outcome) = backward(&model, &mut |_, _, _| Ok(()))?;
                let (model, norm) = state.update(rule, model, gradients, learning_rate);
                Ok((model, norm, outcome))
            }
            State::Shared(state) => {
                let (gradients, outcome) = backward(&model, &mut |_, _, _| Ok(()))?;
                let (model, norm) = state.update(rule, model, gradients, learning_rate)?;
                Ok((model, norm, outcome))
            }
        }
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

impl Rule {
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

/// A parameter's moments, in the module's layout.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    /// Running mean of the gradient.
    pub first: Vec<f32>,
    /// Running mean of its square.
    pub second: Vec<f32>,
}

impl Moments {
    /// Those of a parameter that was never updated.
    fn zeros(count: usize) -> Self {
        Self {
            first: vec![0.0; count],
            second: vec![0.0; count],
        }
    }
}

#[cfg(test)]
mod tests;
