//! A linear layer.

use bert_kernels::{LinearParameters, Precision, to_fp32};
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
    /// Numbers that it gives for a token.
    pub(crate) fn outputs(&self) -> usize {
        let [_, outputs] = self.weight.lazy_shape().dims();
        outputs
    }

    /// As the kernels take them.
    pub(crate) fn parameters(&self) -> LinearParameters {
        LinearParameters {
            weight: self.weight.val(),
            bias: self.bias.val(),
        }
    }

    /// The output is in the type of a product's operands.
    ///
    /// # Shapes
    /// - `x`: `[batch, seq, input]`
    /// - output: `[batch, seq, output]`
    pub(crate) fn forward(&self, x: Tensor<3>, precision: Precision) -> Tensor<3> {
        bert_kernels::linear(x, self.parameters(), precision)
    }

    /// The same for vectors without a sequence; the output is in 32 bits.
    ///
    /// # Shapes
    /// - `x`: `[batch, input]`
    /// - output: `[batch, output]`
    pub(crate) fn forward_vectors(&self, x: Tensor<2>, precision: Precision) -> Tensor<2> {
        to_fp32(self.forward(x.unsqueeze_dim(0), precision)).squeeze_dim(0) // [batch, input] → [1, batch, input] and back
    }
}
