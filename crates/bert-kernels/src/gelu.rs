//! GELU by the error function (Hendrycks & Gimpel 2016).

use burn::tensor::Tensor;

use crate::pass::to_fp32;

/// `x Φ(x)`, with the Gaussian distribution function Φ.
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
