//! The update in the device's memory, in tensor operations that a fusing backend joins.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use super::clip::NORM_EPSILON;
use super::{BertAdam, GradientClip};

/// One parameter's moments, flattened.
pub(super) struct State {
    pub(super) first: Tensor<1>,
    pub(super) second: Tensor<1>,
}

pub(super) fn step<M: Module>(
    optimizer: &mut BertAdam,
    model: M,
    gradients: GradientsParams,
    learning_rate: f64,
) -> (M, Tensor<1>) {
    let mut reader = Reader {
        gradients,
        flat: HashMap::new(),
        squares: Vec::new(),
    };
    model.visit(&mut reader);
    let all = match reader.squares.is_empty() {
        true => Tensor::zeros([1], &burn::tensor::Device::default()),
        false => Tensor::cat(reader.squares, 0).sum().sqrt(),
    };
    let mut updater = Updater {
        optimizer,
        gradients: reader.flat,
        all: all.clone(),
        learning_rate,
    };
    (model.map(&mut updater), all)
}

struct Reader {
    gradients: GradientsParams,
    flat: HashMap<ParamId, Gradient>,
    squares: Vec<Tensor<1>>,
}

struct Gradient {
    flat: Tensor<1>,
    /// `[1]`
    norm: Tensor<1>,
}

impl ModuleVisitor for Reader {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(gradient) = self.gradients.remove::<D>(param.id) else {
            return;
        };
        let count = gradient.shape().num_elements();
        let flat = gradient.reshape([count]);
        let squares = flat.clone().square().sum();
        self.squares.push(squares.clone());
        let norm = squares.sqrt();
        self.flat.insert(param.id, Gradient { flat, norm });
    }
}

struct Updater<'a> {
    optimizer: &'a mut BertAdam,
    gradients: HashMap<ParamId, Gradient>,
    all: Tensor<1>,
    learning_rate: f64,
}

impl ModuleMapper for Updater<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, tensor, mapper) = param.consume();
        let Some(Gradient { flat, norm }) = self.gradients.remove(&id) else {
            return Param::from_mapped_value(id, tensor, mapper);
        };
        let config = self.optimizer.config;
        let gradient = match config.clip {
            GradientClip::PerTensor(bound) => flat * factor(norm, bound),
            GradientClip::Global(bound) => flat * factor(self.all.clone(), bound),
            GradientClip::Off => flat,
        };
        let (first, second) = match self.optimizer.device.remove(&id) {
            Some(State { first, second }) => (first * config.beta_1, second * config.beta_2),
            None => (gradient.zeros_like(), gradient.zeros_like()),
        };
        let first = first + gradient.clone() * (1.0 - config.beta_1);
        let second = second + gradient.square() * (1.0 - config.beta_2);

        let shape = tensor.shape();
        let weights = tensor.without_autodiff().reshape([-1]);
        let direction = first.clone() / (second.clone().sqrt() + config.epsilon)
            + weights.clone() * self.optimizer.decay_of(id);
        let updated = weights - direction * self.learning_rate;
        self.optimizer.device.insert(id, State { first, second });

        let updated: Tensor<D> = updated.reshape(shape);
        Param::from_mapped_value(id, updated.autodiff().require_grad(), mapper)
    }
}

/// `min(bound / (norm + ε), 1)`, `[1]`.
fn factor(norm: Tensor<1>, bound: f64) -> Tensor<1> {
    ((norm + NORM_EPSILON).recip() * bound).clamp_max(1.0)
}
