//! Adam's update of all parameters with decoupled weight decay (Loshchilov & Hutter 2019, algorithm 2), gradients
//! clipped. Without bias correction it is BertAdam (Devlin et al.'s `optimization.py`).

use burn::tensor::Tensor;
use burn::tensor::kind::BridgeTensor;

/// The constants of a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamStep {
    /// Learning rate of this step.
    pub learning_rate: f64,
    /// Decay of the first moment.
    pub beta_1: f64,
    /// Decay of the second moment.
    pub beta_2: f64,
    /// Factor on the first moment: `1 / (1 - β₁ᵗ)` in step `t`, or 1 for BertAdam.
    pub correction_1: f64,
    /// Factor on the root of the second moment: `1 / √(1 - β₂ᵗ)` in step `t`, or 1 for BertAdam.
    pub correction_2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Decay of the weights that decay.
    pub weight_decay: f64,
    /// What is done to large gradients.
    pub clip: Clip,
    /// Added to a norm before it divides.
    pub norm_epsilon: f64,
}

/// Bounds of gradients.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Clip {
    /// Of each parameter's norm.
    PerTensor(f64),
    /// Of the norm of all.
    Global(f64),
    /// None.
    Off,
}

/// A parameter before a step: tensors of one length, each a vector or a matrix.
#[derive(Debug)]
pub struct Parameter {
    /// The gradient.
    pub gradient: BridgeTensor,
    /// The weights. Memory that nothing else refers to is updated in place.
    pub weights: BridgeTensor,
    /// Running mean of the gradient; so too.
    pub first: BridgeTensor,
    /// Running mean of its square; so too.
    pub second: BridgeTensor,
    /// Whether the weights decay.
    pub decays: bool,
    /// Its share of the learning rate.
    pub rate: f64,
}

/// A parameter after a step, in the shapes that it had.
#[derive(Debug)]
pub struct Updated {
    /// The weights.
    pub weights: BridgeTensor,
    /// Running mean of the gradient.
    pub first: BridgeTensor,
    /// Running mean of its square.
    pub second: BridgeTensor,
}

/// Updates all parameters, and returns them in their order with the norm of all gradients before clipping, `[1]`.
/// Tensors are in 32 bits, without autodiff.
///
/// # Panics
/// Without parameters.
pub fn adam(parameters: Vec<Parameter>, with: AdamStep) -> (Vec<Updated>, Tensor<1>) {
    #[cfg(feature = "cube")]
    if crate::cube::runs(&whole(parameters[0].gradient.clone())) {
        return crate::cube::adam::update(parameters, with);
    }
    composed(parameters, with)
}

/// A tensor of a rank that its type does not tell.
fn whole(tensor: BridgeTensor) -> Tensor<1> {
    Tensor::from_bridge(tensor)
}

/// A vector in another's shape.
fn shaped(vector: Tensor<1>, like: &BridgeTensor) -> BridgeTensor {
    match like.shape()[..] {
        [rows, columns] => vector.reshape([rows, columns]).into_bridge(),
        _ => vector.into_bridge(),
    }
}

/// [`adam`] in tensor operations.
pub(crate) fn composed(parameters: Vec<Parameter>, with: AdamStep) -> (Vec<Updated>, Tensor<1>) {
    let flat = |tensor: &BridgeTensor| whole(tensor.clone()).reshape([-1]);
    let squares: Vec<Tensor<1>> = parameters
        .iter()
        .map(|parameter| flat(&parameter.gradient).square().sum())
        .collect();
    let all = Tensor::cat(squares.clone(), 0).sum().sqrt();
    let factor =
        |norm: Tensor<1>, bound: f64| ((norm + with.norm_epsilon).recip() * bound).clamp_max(1.0);
    let updated = parameters.into_iter().zip(squares).map(|(it, squares)| {
        let [gradient, weights, first, second] =
            [&it.gradient, &it.weights, &it.first, &it.second].map(flat);
        let gradient = match with.clip {
            Clip::PerTensor(bound) => gradient * factor(squares.sqrt(), bound),
            Clip::Global(bound) => gradient * factor(all.clone(), bound),
            Clip::Off => gradient,
        };
        let first = first * with.beta_1 + gradient.clone() * (1.0 - with.beta_1);
        let second = second * with.beta_2 + gradient.square() * (1.0 - with.beta_2);
        let root = second.clone().sqrt() * with.correction_2;
        let mut direction = first.clone() * with.correction_1 / (root + with.epsilon);
        if it.decays {
            direction = direction + weights.clone() * with.weight_decay;
        }
        Updated {
            weights: shaped(
                weights - direction * (with.learning_rate * it.rate),
                &it.weights,
            ),
            first: shaped(first, &it.first),
            second: shaped(second, &it.second),
        }
    });
    let updated = updated.collect();
    (updated, all)
}
