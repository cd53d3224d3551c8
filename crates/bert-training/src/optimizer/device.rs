//! The update in the device's memory.

use std::collections::HashMap;

use bert_kernels::{AdamStep, Clip, bert_adam};
use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::kind::BridgeTensor;
use burn::tensor::{Device, Tensor, TensorData};

use super::clip::NORM_EPSILON;
use super::{GradientClip, Moments, Rule};
use crate::TrainError;

/// One parameter's moments, in the shape of its gradient, or flattened.
struct State {
    first: BridgeTensor,
    second: BridgeTensor,
}

/// The moments of every parameter that had a gradient.
#[derive(Default)]
pub(super) struct DeviceState {
    moments: HashMap<ParamId, State>,
}

impl DeviceState {
    pub(super) fn moments(&self) -> Result<HashMap<ParamId, Moments>, TrainError> {
        let read = |(id, State { first, second }): (&ParamId, &State)| {
            let [first, second] = [first, second].map(|moment| read(moment.clone()));
            let (first, second) = (first?, second?);
            Ok((*id, Moments { first, second }))
        };
        self.moments.iter().map(read).collect()
    }

    pub(super) fn set(&mut self, id: ParamId, moments: Moments, device: &Device) {
        let tensor = |values: Vec<f32>| {
            let count = values.len();
            Tensor::<1>::from_data(TensorData::new(values, [count]), device).into_bridge()
        };
        let (first, second) = (tensor(moments.first), tensor(moments.second));
        self.moments.insert(id, State { first, second });
    }

    /// Updates every parameter that has a gradient.
    pub(super) fn update<M: Module>(
        &mut self,
        rule: &Rule,
        model: M,
        gradients: GradientsParams,
        learning_rate: f64,
    ) -> (M, Tensor<1>) {
        let device = model.devices().into_iter().next().unwrap_or_default();
        let mut taker = Taker {
            rule,
            gradients,
            states: &mut self.moments,
            ids: Vec::new(),
            parameters: Vec::new(),
        };
        let model = model.map(&mut taker);
        let Taker {
            ids, parameters, ..
        } = taker;
        if parameters.is_empty() {
            return (model, Tensor::zeros([1], &device.without_autodiff()));
        }
        let config = &rule.config;
        let step = AdamStep {
            learning_rate,
            beta_1: config.beta_1,
            beta_2: config.beta_2,
            epsilon: config.epsilon,
            weight_decay: config.weight_decay,
            clip: match config.clip {
                GradientClip::PerTensor(bound) => Clip::PerTensor(bound),
                GradientClip::Global(bound) => Clip::Global(bound),
                GradientClip::Off => Clip::Off,
            },
            norm_epsilon: NORM_EPSILON,
        };
        let (updated, norm) = bert_adam(parameters, step);
        let mut weights = HashMap::new();
        for (id, updated) in ids.into_iter().zip(updated) {
            let (first, second) = (updated.first, updated.second);
            self.moments.insert(id, State { first, second });
            weights.insert(id, updated.weights);
        }
        (model.map(&mut Giver { weights }), norm)
    }
}

/// Takes the weights out of a model: memory that the model refers to could not be updated in place.
struct Taker<'a> {
    rule: &'a Rule,
    gradients: GradientsParams,
    states: &'a mut HashMap<ParamId, State>,
    ids: Vec<ParamId>,
    parameters: Vec<bert_kernels::Parameter>,
}

impl ModuleMapper for Taker<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(gradient) = self.gradients.remove::<D>(param.id) else {
            return param;
        };
        let (id, tensor, _) = param.consume();
        let (shape, device) = (tensor.shape(), tensor.device());
        let state = self.states.remove(&id).unwrap_or_else(|| State {
            first: gradient.zeros_like().into_bridge(),
            second: gradient.zeros_like().into_bridge(),
        });
        self.ids.push(id);
        self.parameters.push(bert_kernels::Parameter {
            gradient: gradient.into_bridge(),
            weights: tensor.without_autodiff().into_bridge(),
            first: state.first,
            second: state.second,
            decays: self.rule.decay_of(id) != 0.0,
        });
        let absent =
            |_: &Device, _| unreachable!("the weights are given back before they are read");
        Param::uninitialized(id, absent, device, true, shape)
    }
}

/// Gives updated weights to a model.
struct Giver {
    weights: HashMap<ParamId, BridgeTensor>,
}

impl ModuleMapper for Giver {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(weights) = self.weights.remove(&param.id) else {
            return param;
        };
        let weights = Tensor::<D>::from_bridge(weights);
        Param::initialized(param.id, weights.autodiff().require_grad())
    }
}

fn read(tensor: BridgeTensor) -> Result<Vec<f32>, TrainError> {
    // Of any rank.
    Tensor::<1>::from_bridge(tensor)
        .try_into_vec_as()
        .map_err(|error| TrainError::device(format!("{error:?}")))
}
