//! Where a backward pass begins that does not begin at a loss.

use burn::tensor::Tensor;

/// A scalar whose derivative by `output` is `gradient`: its backward pass continues one that stopped at `output`.
///
/// # Shapes
/// - `output`, `gradient`: the same; `gradient` is a constant
/// - output: `[1]`
pub fn continue_from<const D: usize>(output: Tensor<D>, gradient: Tensor<D>) -> Tensor<1> {
    #[cfg(feature = "flex")]
    if crate::flex::runs(&output) {
        return crate::flex::seed::continue_from(output, gradient);
    }
    composed(output, gradient)
}

/// [`continue_from`] in tensor operations.
pub(crate) fn composed<const D: usize>(output: Tensor<D>, gradient: Tensor<D>) -> Tensor<1> {
    (output * gradient).sum()
}
