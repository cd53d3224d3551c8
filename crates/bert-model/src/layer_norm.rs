//! Layer normalisation with BERT's parameter names and epsilon.

use bert_kernels::LayerNormParameters;
use burn::module::{Module, Param};
use burn::tensor::Tensor;

/// `(x - mean) / sqrt(variance + epsilon) * weight + bias` over the last axis (Ba et al. 2016).
#[derive(Module, Debug)]
pub(crate) struct LayerNorm {
    /// Scale, `[width]`.
    pub(crate) weight: Param<Tensor<1>>,
    /// Shift, `[width]`.
    pub(crate) bias: Param<Tensor<1>>,
    #[module(skip)]
    pub(crate) epsilon: f64,
}

impl LayerNorm {
    /// As the kernels take them.
    pub(crate) fn parameters(&self) -> LayerNormParameters {
        LayerNormParameters {
            weight: self.weight.val(),
            bias: self.bias.val(),
            epsilon: self.epsilon,
        }
    }
}
