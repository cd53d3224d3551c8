//! Where a backward pass begins that does not begin at a loss.

use burn::tensor::{Gradients, Tensor};

/// The backward pass of what `output` was made of, where one that stopped at `output` found `gradient`.
///
/// # Shapes
/// - `output`, `gradient`: the same; `gradient` is a constant
pub fn backward_from<const D: usize>(output: Tensor<D>, gradient: Tensor<D>) -> Gradients {
    #[cfg(feature = "flex")]
    if crate::flex::runs(&output) {
        return crate::flex::seed::seed(output, gradient).backward();
    }
    #[cfg(feature = "cube")]
    if crate::cube::runs(&output) {
        return crate::cube::seed::seed(output, gradient).backward();
    }
    composed(output, gradient)
}

/// [`backward_from`] in tensor operations.
pub(crate) fn composed<const D: usize>(output: Tensor<D>, gradient: Tensor<D>) -> Gradients {
    (output * gradient).sum().backward()
}
