//! A linear layer.

use burn::tensor::Tensor;

use crate::pass::{Precision, assert_one_type};

/// `x W + b`, in the type of a product's operands.
///
/// # Shapes
/// - `x`: `[batch, seq, input]`
/// - `weight`: `[input, output]`
/// - `bias`: `[output]`
/// - output: `[batch, seq, output]`
///
/// # Panics
/// When an operand does not have the type that `precision` asks for.
pub fn linear(x: Tensor<3>, weight: Tensor<2>, bias: Tensor<1>, precision: Precision) -> Tensor<3> {
    let x = precision.cast(x);
    #[cfg(feature = "flex")]
    if crate::flex::runs(&x) {
        return crate::flex::linear::linear(x, weight, bias);
    }
    composed(x, precision.cast(weight), precision.cast(bias))
}

/// [`linear`] by Burn. A product with one column, forward or backward, is a sum of products instead: under CUDA's
/// fusion it has been wrong (<https://github.com/tracel-ai/burn/issues/5122>).
pub(crate) fn composed(x: Tensor<3>, weight: Tensor<2>, bias: Tensor<1>) -> Tensor<3> {
    assert_one_type("linear", &[x.dtype(), weight.dtype(), bias.dtype()]);
    if weight.dims()[1] == 1 {
        let row = weight.swap_dims(0, 1).unsqueeze_dim(0); // [input, 1] → [1, 1, input]
        return (x * row).sum_dim(2) + bias.unsqueeze(); // [batch, seq, 1]
    }
    burn::tensor::module::linear(x, weight, Some(bias))
}
