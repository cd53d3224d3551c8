//! How both sub-layers of a BERT layer end: dropout, residual, layer normalisation (Ba et al. 2016).

use burn::tensor::Tensor;
use burn::tensor::module::layer_norm;

use crate::dropout::{Dropout, dropout};
use crate::linear::{LinearParameters, linear};
use crate::pass::{Precision, to_fp32};

/// Parameters of a layer normalisation over the last axis.
#[derive(Debug, Clone)]
pub struct LayerNormParameters {
    /// Scale, `[hidden]`.
    pub weight: Tensor<1>,
    /// Shift, `[hidden]`.
    pub bias: Tensor<1>,
    /// Added to the variance.
    pub epsilon: f64,
}

/// `LayerNorm(dropout(x W + b) + residual)`, in 32 bits.
///
/// # Shapes
/// - `x`: `[batch, seq, input]`
/// - `residual`: `[batch, seq, hidden]`; the output has the same
pub fn linear_residual_layer_norm(
    x: Tensor<3>,
    layer: LinearParameters,
    residual: Tensor<3>,
    norm: LayerNormParameters,
    dropout: Option<Dropout>,
    precision: Precision,
) -> Tensor<3> {
    #[cfg(feature = "cube")]
    if crate::cube::runs(&x) {
        let x = precision.cast(x);
        return crate::cube::residual::linear_residual_layer_norm(
            x, layer, residual, norm, dropout,
        );
    }
    let x = linear(x, layer, precision);
    #[cfg(feature = "flex")]
    if crate::flex::runs(&x) {
        return crate::flex::residual::residual_layer_norm(x, residual, norm, dropout);
    }
    composed(x, residual, norm, dropout)
}

/// `LayerNorm(dropout(x) + residual)` in tensor operations.
pub(crate) fn composed(
    x: Tensor<3>,
    residual: Tensor<3>,
    norm: LayerNormParameters,
    with: Option<Dropout>,
) -> Tensor<3> {
    let sum = dropout(to_fp32(x), with) + to_fp32(residual);
    layer_norm(sum, norm.weight, Some(norm.bias), norm.epsilon)
}
