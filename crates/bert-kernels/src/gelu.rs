//! GELU by the error function (Hendrycks & Gimpel 2016).

use burn::tensor::Tensor;

use crate::linear::{LinearParameters, linear};
use crate::pass::{Precision, to_fp32};

/// `y Φ(y)` of `y = x W + b`, with the Gaussian distribution function Φ.
///
/// # Shapes
/// - `x`: `[batch, seq, input]`
/// - output: `[batch, seq, output]`, in the type of a product's operands
pub fn linear_gelu(x: Tensor<3>, layer: LinearParameters, precision: Precision) -> Tensor<3> {
    #[cfg(feature = "cube")]
    if crate::cube::runs(&x) {
        return crate::cube::gelu::linear_gelu(precision.cast(x), layer);
    }
    gelu(linear(x, layer, precision))
}

/// `x Φ(x)`. Behind a linear layer, [`linear_gelu`] is faster on a GPU.
///
/// # Shapes
/// - `x`: any; the output has the same
pub fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    #[cfg(feature = "flex")]
    if crate::flex::runs(&x) {
        return crate::flex::gelu::gelu(x);
    }
    composed(x)
}

/// [`gelu`] in tensor operations. It is composed from `erf` because the derivative of Burn's own GELU
/// is that of the tanh approximation. Computed in 32 bits, from and to the type of `x`.
pub(crate) fn composed<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let operand = x.dtype();
    let x = to_fp32(x);
    let phi = (x.clone() * std::f64::consts::FRAC_1_SQRT_2).erf() * 0.5 + 0.5;
    (x * phi).cast(operand)
}
