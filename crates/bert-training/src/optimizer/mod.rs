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

use std::collections::{BTreeMap, HashMap};

use bert_model::parameters::{self, ParameterInfo};
use burn::module::{Module, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use crate::TrainError;

pub use clip::GradientClip;
pub(crate) use host::GradientStream;

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
    config: BertAdamConfig,
    residency: Residency,
    parameters: HashMap<ParamId, ParameterInfo>,
    /// The parameters in the order of the module's fields.
    order: Vec<ParamId>,
    /// Moments in host memory.
    host: HashMap<ParamId, update::State>,
    /// The weights in host memory, where they are updated there for a device that has its own.
    masters: HashMap<ParamId, TensorData>,
    /// Moments in the device's memory.
    device: HashMap<ParamId, device::State>,
    /// Moments of vectors that are updated together, in the device's memory.
    groups: BTreeMap<device::GroupKey, device::Group>,
}

impl BertAdam {
    /// An optimiser with empty moments for every parameter of `model`.
    pub fn new<M: Module>(config: BertAdamConfig, residency: Residency, model: &M) -> Self {
        let parameters = parameters::list(model);
        Self {
            config,
            residency,
            order: parameters.iter().map(|info| info.id).collect(),
            parameters: parameters.into_iter().map(|info| (info.id, info)).collect(),
            host: HashMap::new(),
            masters: HashMap::new(),
            device: HashMap::new(),
            groups: BTreeMap::new(),
        }
    }

    /// Updates every parameter that has a gradient, and returns the model and the norm of all
    /// gradients before clipping, `[1]`. No clone of the model should be alive: an update in place would
    /// have to copy what it shares.
    ///
    /// # Errors
    /// [`TrainError::Device`] when gradients or weights cannot be read.
    pub fn step<M: Module>(
        &mut self,
        model: M,
        mut gradients: GradientsParams,
        learning_rate: f64,
    ) -> Result<(M, Tensor<1>), TrainError> {
        match self.residency {
            Residency::Shared => shared::step(self, model, gradients, learning_rate),
            Residency::Device => Ok(device::step(self, model, gradients, learning_rate)),
            Residency::Host => {
                let ids = self.order.clone();
                let (model, norm, ()) =
                    self.step_streamed(model, learning_rate, |model, stream| {
                        stream.send(model, &mut gradients, &ids);
                    })?;
                Ok((model, norm))
            }
        }
    }

    /// The same for [`Residency::Host`], with the gradients as `backward` finds them; returns what it returns, too.
    ///
    /// # Errors
    /// [`TrainError::Device`] when gradients or weights cannot be read.
    pub(crate) fn step_streamed<M: Module, R>(
        &mut self,
        model: M,
        learning_rate: f64,
        backward: impl FnOnce(&M, &mut GradientStream) -> R,
    ) -> Result<(M, Tensor<1>, R), TrainError> {
        host::step(self, model, learning_rate, backward)
    }

    /// Where its state lives.
    pub(crate) fn residency(&self) -> Residency {
        self.residency
    }

    /// The weight decay of one parameter.
    fn decay_of(&self, id: ParamId) -> f64 {
        let decays = self.parameters.get(&id).is_some_and(ParameterInfo::decays);
        if decays {
            self.config.weight_decay
        } else {
            0.0
        }
    }

    /// Every parameter's moments by its name in a checkpoint; none before the first step.
    ///
    /// # Errors
    /// [`TrainError::Device`] when a moment cannot be read.
    pub fn moments(&self) -> Result<HashMap<String, Moments>, TrainError> {
        let mut moments = HashMap::new();
        let mut insert = |id: &ParamId, first, second| {
            if let Some(info) = self.parameters.get(id) {
                moments.insert(info.name.clone(), Moments { first, second });
            }
        };
        for (id, state) in &self.host {
            insert(id, state.first.clone(), state.second.clone());
        }
        for (id, state) in &self.device {
            insert(id, read(state.first.clone())?, read(state.second.clone())?);
        }
        for ((length, _), group) in &self.groups {
            let (first, second) = (read(group.first.clone())?, read(group.second.clone())?);
            let rows = first
                .chunks_exact(*length)
                .zip(second.chunks_exact(*length));
            for (id, (first, second)) in group.ids.iter().zip(rows) {
                insert(id, first.to_vec(), second.to_vec());
            }
        }
        Ok(moments)
    }

    /// Goes on with an earlier run's moments, by the names of their parameters in a checkpoint; those of
    /// parameters that the model does not have are not used. `device` is the model's, without autodiff.
    pub fn set_moments(&mut self, mut moments: HashMap<String, Moments>, device: &Device) {
        for (id, info) in &self.parameters {
            let Some(Moments { first, second }) = moments.remove(&info.name) else {
                continue;
            };
            match self.residency {
                Residency::Host | Residency::Shared => {
                    self.host.insert(*id, update::State { first, second });
                }
                Residency::Device => {
                    let tensor = |values: Vec<f32>| {
                        let count = values.len();
                        Tensor::from_data(TensorData::new(values, [count]), device)
                    };
                    let (first, second) = (tensor(first), tensor(second));
                    self.device.insert(*id, device::State { first, second });
                }
            }
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

fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, TrainError> {
    tensor
        .try_into_vec_as()
        .map_err(|error| TrainError::device(format!("{error:?}")))
}

#[cfg(test)]
mod tests;
