//! The update in the device's memory.

use std::collections::HashMap;

use bert_kernels::{AdamStep, Clip, adam};
use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::kind::BridgeTensor;
use burn::tensor::{Device, Tensor, TensorData};

use super::clip::NORM_EPSILON;
use super::{GradientClip, Moments, Rule, Step};
use crate::TrainError;

/// One parameter's moments and the average of its weights, in the shape of its gradient, or flattened.
struct State {
    first: BridgeTensor,
    second: BridgeTensor,
    average: Option<BridgeTensor>,
}

/// The moments of every parameter that had a gradient.
#[derive(Default)]
pub(super) struct DeviceState {
    moments: HashMap<ParamId, State>,
}

impl DeviceState {
    pub(super) fn moments(&self) -> Result<HashMap<ParamId, Moments>, TrainError> {
        let read = |(id, state): (&ParamId, &State)| {
            let moments = Moments {
                first: read(state.first.clone())?,
                second: read(state.second.clone())?,
                average: state.average.clone().map(read).transpose()?,
            };
            Ok((*id, moments))
        };
        self.moments.iter().map(read).collect()
    }

    pub(super) fn set(&mut self, id: ParamId, moments: Moments, device: &Device) {
        let tensor = |values: Vec<f32>| {
            let count = values.len();
            Tensor::<1>::from_data(TensorData::new(values, [count]), device).into_bridge()
        };
        let state = State {
            first: tensor(moments.first),
            second: tensor(moments.second),
            average: moments.average.map(tensor),
        };
        self.moments.insert(id, state);
    }

    /// The average of a parameter's weights, where one is kept.
    pub(super) fn average(&self, id: ParamId) -> Option<Tensor<1>> {
        let average = self.moments.get(&id)?.average.clone()?;
        Some(Tensor::from_bridge(average))
    }

    /// Updates every parameter that has a gradient.
    pub(super) fn update<M: Module>(
        &mut self,
        rule: &Rule,
        model: M,
        gradients: GradientsParams,
        step: Step,
    ) -> (M, Tensor<1>) {
        let device = model.devices().into_iter().next().unwrap_or_default();
        let mut taker = Taker {
            rule,
            gradients,
            states: &mut self.moments,
            ids: Vec::new(),
            averages: Vec::new(),
            parameters: Vec::new(),
        };
        let model = model.map(&mut taker);
        let Taker {
            ids,
            averages,
            parameters,
            ..
        } = taker;
        if parameters.is_empty() {
            return (model, Tensor::zeros([1], &device.without_autodiff()));
        }
        let config = &rule.config;
        let [correction_1, correction_2] = rule.corrections(&step);
        let with = AdamStep {
            learning_rate: step.learning_rate,
            beta_1: config.beta_1,
            beta_2: config.beta_2,
            correction_1,
            correction_2,
            epsilon: config.epsilon,
            weight_decay: config.weight_decay,
            clip: match config.clip {
                GradientClip::PerTensor(bound) => Clip::PerTensor(bound),
                GradientClip::Global(bound) => Clip::Global(bound),
                GradientClip::Off => Clip::Off,
            },
            norm_epsilon: NORM_EPSILON,
        };
        let (updated, norm) = adam(parameters, with);
        let mut weights = HashMap::new();
        for ((id, updated), average) in ids.into_iter().zip(updated).zip(averages) {
            let average = match step.share {
                Some(share) => Some(averaged(average, &updated.weights, share)),
                None => average,
            };
            let (first, second) = (updated.first, updated.second);
            let state = State {
                first,
                second,
                average,
            };
            self.moments.insert(id, state);
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
    averages: Vec<Option<BridgeTensor>>,
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
            average: None,
        });
        self.ids.push(id);
        self.averages.push(state.average);
        self.parameters.push(bert_kernels::Parameter {
            gradient: gradient.into_bridge(),
            weights: tensor.without_autodiff().into_bridge(),
            first: state.first,
            second: state.second,
            decays: self.rule.decay_of(id) != 0.0,
            rate: self.rule.rate_of(id),
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

/// An average, of any shape, moved towards the weights: flattened, in memory of its own, as weights are updated in place.
fn averaged(average: Option<BridgeTensor>, weights: &BridgeTensor, share: f64) -> BridgeTensor {
    let flat = |tensor: BridgeTensor| Tensor::<1>::from_bridge(tensor).reshape([-1]);
    let weights = flat(weights.clone());
    let average = average.map_or_else(|| weights.zeros_like(), flat);
    let moved = average.clone() + (weights - average) * share;
    moved.into_bridge()
}

fn read(tensor: BridgeTensor) -> Result<Vec<f32>, TrainError> {
    // Of any rank.
    Tensor::<1>::from_bridge(tensor)
        .try_into_vec_as()
        .map_err(|error| TrainError::device(format!("{error:?}")))
}
