//! A linear layer.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

/// `x W + b`.
#[derive(Module, Debug)]
pub(crate) struct Linear {
    /// `[input, output]`; checkpoints hold its transpose.
    pub(crate) weight: Param<Tensor<2>>,
    /// `[output]`
    pub(crate) bias: Param<Tensor<1>>,
}

impl Linear {
    /// # Shapes
    /// - `x`: `[batch, seq, input]`
    /// - output: `[batch, seq, output]`
    pub(crate) fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        bert_kernels::linear(x, self.weight.val(), self.bias.val())
    }
}
