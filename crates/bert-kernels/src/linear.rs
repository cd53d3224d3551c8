//! A linear layer.

use burn::tensor::Tensor;

use crate::pass::{Precision, assert_one_type};

/// Parameters of a linear layer.
#[derive(Debug, Clone)]
pub struct LinearParameters {
    /// `[input, output]`
    pub weight: Tensor<2>,
    /// `[output]`
    pub bias: Tensor<1>,
}

/// `x W + b`, in the type of a product's operands. Where a kernel for the CPU rounds them itself, that is 32 bits.
///
/// # Shapes
/// - `x`: `[batch, seq, input]`
/// - output: `[batch, seq, output]`
///
/// # Panics
/// When an operand does not have the type that `precision` asks for.
pub fn linear(x: Tensor<3>, layer: LinearParameters, precision: Precision) -> Tensor<3> {
    let x = precision.cast(x);
    #[cfg(feature = "flex")]
    if crate::flex::runs(&x) {
        return crate::flex::linear::linear(x, layer, precision);
    }
    #[cfg(feature = "cube")]
    if crate::cube::runs(&x) && layer.weight.dims()[1] > 1 {
        return crate::cube::linear::linear(x, layer);
    }
    composed(x, precision.cast(layer.weight), precision.cast(layer.bias))
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
