//! [`crate::linear_residual_layer_norm`]: a product, and a kernel for what follows it.

use burn::tensor::{DType, Tensor};

use super::linear::multiply;
use super::norm;
use super::{Differentiable, Plain, apply, input, queue_fixed};
use crate::dropout::Dropout;
use crate::linear::LinearParameters;
use crate::residual::LayerNormParameters;

#[derive(Clone, Debug)]
struct ResidualNorm {
    epsilon: f64,
    dropout: Option<Dropout>,
    /// The type of `x`.
    operand: DType,
}

#[derive(Clone, Debug)]
struct Saved {
    normalised: Plain,
    inverse: Plain,
    weight: Plain,
}

impl Differentiable<5> for ResidualNorm {
    type Saved = Saved;

    fn forward(&self, [x, added, residual, weight, bias]: [Plain; 5]) -> (Plain, Saved) {
        let Self {
            epsilon, dropout, ..
        } = *self;
        let whole = (residual.shape.clone(), residual.dtype);
        let columns = whole.0.last().copied().unwrap_or(1);
        let rows = whole.0.num_elements() / columns.max(1);
        let outputs = [whole.clone(), whole, ([rows].into(), residual.dtype)];
        let inputs = [x, added, residual, weight.clone(), bias];
        let launch = move |[x, added, residual, weight, bias]: [_; 5]| {
            norm::forward(x, added, residual, weight, bias, epsilon, dropout)
        };
        let [output, normalised, inverse] =
            queue_fixed("residual_layer_norm", inputs, outputs, launch);
        let saved = Saved {
            normalised,
            inverse,
            weight,
        };
        (output, saved)
    }

    fn backward(&self, saved: Saved, gradient: Plain) -> [Plain; 5] {
        let Self {
            dropout, operand, ..
        } = *self;
        let of_vector = (saved.weight.shape.clone(), saved.weight.dtype);
        let outputs = [
            (gradient.shape.clone(), operand),
            of_vector.clone(),
            (gradient.shape.clone(), gradient.dtype),
            of_vector.clone(),
            of_vector,
        ];
        let inputs = [gradient, saved.normalised, saved.inverse, saved.weight];
        let launch = move |[gradient, normalised, inverse, weight]: [_; 4]| {
            norm::backward(gradient, normalised, inverse, weight, operand, dropout)
        };
        queue_fixed("residual_layer_norm_backward", inputs, outputs, launch)
    }
}

pub(crate) fn linear_residual_layer_norm(
    x: Tensor<3>,
    layer: LinearParameters,
    residual: Tensor<3>,
    norm: LayerNormParameters,
    dropout: Option<Dropout>,
) -> Tensor<3> {
    let operation = ResidualNorm {
        epsilon: norm.epsilon,
        dropout,
        operand: x.dtype(),
    };
    let x = multiply(x, layer.weight);
    let tracked = x.is_autodiff();
    apply(
        operation,
        [
            input(x, tracked),
            input(layer.bias, tracked),
            input(residual, tracked),
            input(norm.weight, tracked),
            input(norm.bias, tracked),
        ],
    )
}
