//! [`crate::linear_residual_layer_norm`]: a product, and a kernel for what follows it.

use burn::tensor::{DType, Tensor};

use super::linear::multiply;
use super::norm::{self, NormConfig};
use super::rows::sum_parts;
use super::{Differentiable, Plain, apply, input, queue_fixed};
use crate::dropout::Dropout;
use crate::linear::LinearParameters;
use crate::residual::LayerNormParameters;

#[derive(Clone, Debug)]
struct ResidualNorm {
    with: NormConfig,
    /// The type of `x`.
    operand: DType,
}

impl Differentiable<5> for ResidualNorm {
    /// What was normalised, one over the standard deviations, and the weight.
    type Saved = [Plain; 3];

    fn forward(&self, [x, added, residual, weight, bias]: [Plain; 5]) -> (Plain, Self::Saved) {
        let with = self.with;
        let whole = (residual.shape.clone(), residual.dtype);
        let columns = whole.0.last().copied().unwrap_or(1);
        let rows = whole.0.num_elements() / columns.max(1);
        let outputs = [whole.clone(), whole, ([rows].into(), residual.dtype)];
        let inputs = [x, added, residual, weight.clone(), bias];
        let launch = move |[x, added, residual, weight, bias]: [_; 5]| {
            let made = norm::forward(x, residual, [added, weight, bias], with, false);
            [made.output, made.normalised, made.inverse]
        };
        let [output, normalised, inverse] =
            queue_fixed("residual_layer_norm", inputs, outputs, launch);
        (output, [normalised, inverse, weight])
    }

    fn backward(&self, saved: Self::Saved, gradient: Plain) -> [Plain; 5] {
        let (operand, dropout) = (self.operand, self.with.dropout);
        let of_vector = (saved[2].shape.clone(), saved[2].dtype);
        let outputs = [
            (gradient.shape.clone(), operand),
            of_vector.clone(),
            (gradient.shape.clone(), gradient.dtype),
            of_vector.clone(),
            of_vector,
        ];
        let [normalised, inverse, weight] = saved;
        let inputs = [gradient, normalised, inverse, weight];
        let launch = move |[gradient, normalised, inverse, weight]: [_; 4]| {
            let saved = [normalised, inverse, weight];
            let (x, residual, parts) = norm::backward(gradient, None, saved, operand, dropout);
            let [weight, bias, added] = sum_parts(parts);
            [x, added, residual, weight, bias]
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
        with: NormConfig {
            epsilon: norm.epsilon,
            dropout,
        },
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
