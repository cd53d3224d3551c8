//! A linear layer.

use burn::tensor::Tensor;

/// `x W + b`.
///
/// # Shapes
/// - `x`: `[batch, seq, input]`
/// - `weight`: `[input, output]`
/// - `bias`: `[output]`
/// - output: `[batch, seq, output]`
pub fn linear(x: Tensor<3>, weight: Tensor<2>, bias: Tensor<1>) -> Tensor<3> {
    #[cfg(feature = "flex")]
    if crate::flex::runs(&x) {
        return crate::flex::linear::linear(x, weight, bias);
    }
    composed(x, weight, bias)
}

/// [`linear`] by Burn.
pub(crate) fn composed(x: Tensor<3>, weight: Tensor<2>, bias: Tensor<1>) -> Tensor<3> {
    burn::tensor::module::linear(x, weight, Some(bias))
}
