//! [`crate::linear`]: the tokens of all rows are the rows of one product.

use burn::tensor::{DType, Shape, Tensor};
use burn_backend::cubecl::dtype_to_storage_type;
use burn_cubecl::ops::reshape;
use burn_cubecl::tensor::CubeTensor;
use cubecl::ir::ElemType;
use cubecl::prelude::*;

use super::memory::{contiguous, owned};
use super::operands::operands;
use super::product::{product, transposed};
use super::rows::sum_columns;
use super::units::{UNITS, cubes};
use super::{Differentiable, Plain, apply, input, queue_fixed};
use crate::linear::LinearParameters;

#[cube(launch)]
fn add_bias_kernel<X: Float>(
    rows: &mut [X],
    bias: &[f32],
    count: usize,
    #[comptime] columns: usize,
    #[define(X)] _operand: ElemType,
) {
    let at = ABSOLUTE_POS;
    if at >= count {
        terminate!();
    }
    rows[at] = X::cast_from(f32::cast_from(rows[at]) + bias[at % columns]);
}

fn add_bias(rows: CubeTensor, bias: CubeTensor) -> CubeTensor {
    let rows = owned(rows);
    let (client, count) = (rows.client.clone(), rows.meta.num_elements());
    let columns = bias.meta.num_elements();
    add_bias_kernel::launch(
        &client,
        cubes(count.div_ceil(UNITS)),
        CubeDim::new_1d(UNITS as u32),
        rows.clone().into_buffer_arg(),
        contiguous(bias).into_buffer_arg(),
        count,
        columns,
        dtype_to_storage_type(rows.dtype),
    );
    rows
}

/// A tensor as a matrix, whose rows its last axis is.
pub(super) fn matrix(x: CubeTensor) -> CubeTensor {
    let columns = x.meta.shape().last().copied().unwrap_or(1);
    let rows = x.meta.num_elements() / columns.max(1);
    reshape(x, [rows, columns].into())
}

fn with_last(shape: &Shape, columns: usize) -> Shape {
    let mut shape = shape.clone();
    let last = shape.num_dims() - 1;
    shape[last] = columns;
    shape
}

/// `x · weight`
#[derive(Clone, Debug)]
struct Multiply;

#[derive(Clone, Debug)]
struct Saved {
    x: Plain,
    /// In the type of a product's operands.
    weight: Plain,
}

impl Differentiable<2> for Multiply {
    type Saved = Saved;

    fn forward(&self, [x, weight]: [Plain; 2]) -> (Plain, Saved) {
        let operand = x.dtype;
        let weight = if weight.dtype == operand {
            weight
        } else {
            let whole = (weight.shape.clone(), operand);
            let launch = move |[weight]: [_; 1]| operands([vec![weight]], operand);
            let [weight] = queue_fixed("operand", [weight], [whole], launch);
            weight
        };
        let shape = with_last(&x.shape, weight.shape[1]);
        let whole = shape.clone();
        let launch = move |[x, weight]: [_; 2]| {
            let output = product(matrix(x), weight, operand);
            [reshape(output, whole.clone())]
        };
        let inputs = [x.clone(), weight.clone()];
        let [output] = queue_fixed("multiply", inputs, [(shape, operand)], launch);
        (output, Saved { x, weight })
    }

    fn backward(&self, Saved { x, weight }: Saved, gradient: Plain) -> [Plain; 2] {
        let (shape, operand) = (x.shape.clone(), x.dtype);
        let outputs = [(shape.clone(), operand), (weight.shape.clone(), DType::F32)];
        let launch = move |[gradient, x, weight]: [_; 3]| {
            let [gradient, x] = [gradient, x].map(matrix);
            let of_x = product(gradient.clone(), transposed(weight), operand);
            let of_weight = product(transposed(x), gradient, DType::F32);
            [reshape(of_x, shape.clone()), of_weight]
        };
        queue_fixed("multiply_backward", [gradient, x, weight], outputs, launch)
    }
}

/// `x + bias`
#[derive(Clone, Debug)]
struct AddBias;

impl Differentiable<2> for AddBias {
    type Saved = ();

    fn forward(&self, [x, bias]: [Plain; 2]) -> (Plain, ()) {
        let whole = (x.shape.clone(), x.dtype);
        let launch = |[x, bias]: [_; 2]| [add_bias(x, bias)];
        let [output] = queue_fixed("add_bias", [x, bias], [whole], launch);
        (output, ())
    }

    fn backward(&self, (): (), gradient: Plain) -> [Plain; 2] {
        let columns = gradient.shape[gradient.shape.num_dims() - 1];
        let sums = ([columns].into(), DType::F32);
        let launch = |[gradient]: [_; 1]| [sum_columns(matrix(gradient))];
        let [of_bias] = queue_fixed("add_bias_backward", [gradient.clone()], [sums], launch);
        [gradient, of_bias]
    }
}

/// The product of a linear layer, in the type of `x`; the weight is in 32 bits, and so is its gradient.
pub(super) fn multiply(x: Tensor<3>, weight: Tensor<2>) -> Tensor<3> {
    let tracked = x.is_autodiff() || weight.is_autodiff();
    apply(Multiply, [input(x, tracked), input(weight, tracked)])
}

pub(crate) fn linear(x: Tensor<3>, layer: LinearParameters) -> Tensor<3> {
    let x = multiply(x, layer.weight);
    let tracked = x.is_autodiff();
    apply(AddBias, [input(x, tracked), input(layer.bias, tracked)])
}
