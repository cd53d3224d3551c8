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

    /// The same for vectors without a sequence.
    ///
    /// # Shapes
    /// - `x`: `[batch, input]`
    /// - output: `[batch, output]`
    pub(crate) fn forward_vectors(&self, x: Tensor<2>) -> Tensor<2> {
        self.forward(x.unsqueeze_dim(0)).squeeze_dim(0) // [batch, input] → [1, batch, input] and back
    }
}
