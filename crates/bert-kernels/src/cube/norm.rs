//! `LayerNorm(dropout(x + b) + residual)`: one launch forward and one backward, which leaves the parameters' gradients as
//! sums over shares of rows.

use burn_backend::DType;
use burn_backend::cubecl::dtype_to_storage_type;
use burn_cubecl::tensor::CubeTensor;
use cubecl::ir::ElemType;
use cubecl::prelude::*;

use super::dropout::{Mask, mask_args};
use super::heads::Parts;
use super::memory::{buffers, contiguous, empty};
use super::units::{UNITS, cubes, sum_over_units};
use crate::dropout::Dropout;

/// Rows whose share of the parameters' gradients a cube sums.
pub(super) const ROWS: usize = 16;

/// Normalises the values of a row, a cube's, of which a unit has some; returns one over the standard deviation.
#[cube]
pub(super) fn normalise(
    values: &mut Array<f32>,
    shared: &mut Shared<[f32]>,
    epsilon: f32,
    #[comptime] columns: usize,
) -> f32 {
    let unit = UNIT_POS as usize;
    let turns = comptime!(columns.div_ceil(UNITS));
    let count = f32::cast_from(columns);
    let mut sum = 0.0f32;
    #[unroll]
    for turn in 0..turns {
        if turn * UNITS + unit < columns {
            sum += values[turn];
        }
    }
    let mean = sum_over_units(sum, shared, UNITS) / count;
    let mut squares = 0.0f32;
    #[unroll]
    for turn in 0..turns {
        if turn * UNITS + unit < columns {
            let centred = values[turn] - mean;
            values[turn] = centred;
            squares += centred * centred;
        }
    }
    let variance = sum_over_units(squares, shared, UNITS) / count;
    let scale = (variance + epsilon).sqrt().recip();
    #[unroll]
    for turn in 0..turns {
        values[turn] *= scale;
    }
    scale
}

/// The mean of a row's gradients, of which a unit has some in `received`, times the weights, and that of their products
/// with what was normalised.
#[cube]
pub(super) fn means(
    received: &Array<f32>,
    normalised: &[f32],
    weight: &[f32],
    row: usize,
    shared: &mut Shared<[f32]>,
    #[comptime] columns: usize,
) -> (f32, f32) {
    let unit = UNIT_POS as usize;
    let turns = comptime!(columns.div_ceil(UNITS));
    let count = f32::cast_from(columns);
    let mut sum = 0.0f32;
    let mut product = 0.0f32;
    #[unroll]
    for turn in 0..turns {
        let column = turn * UNITS + unit;
        if column < columns {
            let scaled = received[turn] * weight[column];
            sum += scaled;
            product += scaled * normalised[row * columns + column];
        }
    }
    let mean = sum_over_units(sum, shared, UNITS) / count;
    let along = sum_over_units(product, shared, UNITS) / count;
    (mean, along)
}

/// A cube normalises a row.
#[cube(launch)]
#[allow(clippy::too_many_arguments)]
fn forward_kernel<X: Float>(
    x: &[X],
    added: &[f32],
    residual: &[f32],
    weight: &[f32],
    bias: &[f32],
    output: &mut [f32],
    normalised: &mut [f32],
    inverse: &mut [f32],
    mut copies: Sequence<Box<[X]>>,
    rows: usize,
    epsilon: f32,
    mask: &Mask,
    #[comptime] columns: usize,
    #[comptime] drops: bool,
    #[comptime] copied: bool,
    #[define(X)] _operand: ElemType,
) {
    let row = CUBE_POS;
    if row >= rows {
        terminate!();
    }
    let unit = UNIT_POS as usize;
    let mut shared = Shared::<[f32]>::new_slice(UNITS);
    let turns = comptime!(columns.div_ceil(UNITS));
    let mut values = Array::<f32>::new(turns);
    #[unroll]
    for turn in 0..turns {
        let column = turn * UNITS + unit;
        if column < columns {
            let at = row * columns + column;
            let mut value = f32::cast_from(x[at]) + added[column];
            if comptime!(drops) {
                value *= mask.factor(at as u32);
            }
            values[turn] = value + residual[at];
        }
    }
    let scale = normalise(&mut values, &mut shared, epsilon, columns);
    #[unroll]
    for turn in 0..turns {
        let column = turn * UNITS + unit;
        if column < columns {
            let at = row * columns + column;
            let value = values[turn];
            normalised[at] = value;
            let value = value * weight[column] + bias[column];
            output[at] = value;
            if comptime!(copied) {
                let copy = &mut copies[0];
                copy[at] = X::cast_from(value);
            }
        }
    }
    if unit == 0 {
        inverse[row] = scale;
    }
}

/// A cube computes the gradients of some rows, and their share of the parameters' gradients. `more` is added to what the
/// output receives.
#[cube(launch)]
#[allow(clippy::too_many_arguments)]
fn backward_kernel<X: Float>(
    gradient: &[f32],
    more: Sequence<Box<[X]>>,
    normalised: &[f32],
    inverse: &[f32],
    weight: &[f32],
    of_x: &mut [X],
    of_residual: &mut [f32],
    parts: &mut [f32],
    rows: usize,
    mask: &Mask,
    #[comptime] columns: usize,
    #[comptime] drops: bool,
    #[comptime] adds: bool,
    #[define(X)] _operand: ElemType,
) {
    let first = CUBE_POS * ROWS;
    if first >= rows {
        terminate!();
    }
    let unit = UNIT_POS as usize;
    let mut shared = Shared::<[f32]>::new_slice(UNITS);
    let turns = comptime!(columns.div_ceil(UNITS));
    let mut of_weight = Array::<f32>::new(turns);
    let mut of_bias = Array::<f32>::new(turns);
    let mut of_added = Array::<f32>::new(turns);
    #[unroll]
    for turn in 0..turns {
        of_weight[turn] = 0.0f32;
        of_bias[turn] = 0.0f32;
        of_added[turn] = 0.0f32;
    }
    let mut received = Array::<f32>::new(turns);
    let last = min(first + ROWS, rows);
    let mut row = first;
    while row < last {
        #[unroll]
        for turn in 0..turns {
            let column = turn * UNITS + unit;
            if column < columns {
                let at = row * columns + column;
                let mut value = gradient[at];
                if comptime!(adds) {
                    let more = &more[0];
                    value += f32::cast_from(more[at]);
                }
                received[turn] = value;
            }
        }
        let (mean, along) = means(&received, normalised, weight, row, &mut shared, columns);
        let scale = inverse[row];
        #[unroll]
        for turn in 0..turns {
            let column = turn * UNITS + unit;
            if column < columns {
                let at = row * columns + column;
                let value = normalised[at];
                let received = received[turn];
                let of_sum = scale * (received * weight[column] - mean - value * along);
                of_residual[at] = of_sum;
                let mut dropped = of_sum;
                if comptime!(drops) {
                    dropped *= mask.factor(at as u32);
                }
                of_x[at] = X::cast_from(dropped);
                of_weight[turn] += received * value;
                of_bias[turn] += received;
                of_added[turn] += dropped;
            }
        }
        row += 1;
    }
    #[unroll]
    for turn in 0..turns {
        let column = turn * UNITS + unit;
        if column < columns {
            let at = CUBE_POS * comptime!(3 * columns) + column;
            parts[at] = of_weight[turn];
            parts[at + columns] = of_bias[turn];
            parts[at + comptime!(2 * columns)] = of_added[turn];
        }
    }
}

/// Rows and columns of a tensor, whose last axis is normalised.
pub(super) fn table(x: &CubeTensor) -> [usize; 2] {
    let columns = x.meta.shape().last().copied().unwrap_or(1);
    [x.meta.num_elements() / columns.max(1), columns]
}

/// What [`forward`] computes.
pub(super) struct Normalised {
    pub(super) output: CubeTensor,
    /// Before weight and bias.
    pub(super) normalised: CubeTensor,
    /// One over the standard deviations, `[rows]`.
    pub(super) inverse: CubeTensor,
    /// The output in the type of `x`, where it was asked for.
    pub(super) copy: Option<CubeTensor>,
}

/// How it is normalised.
#[derive(Clone, Copy, Debug)]
pub(super) struct NormConfig {
    pub(super) epsilon: f64,
    /// Of `x + b`.
    pub(super) dropout: Option<Dropout>,
}

/// `parameters` are `b`, weight and bias.
pub(super) fn forward(
    x: CubeTensor,
    residual: CubeTensor,
    parameters: [CubeTensor; 3],
    NormConfig { epsilon, dropout }: NormConfig,
    copied: bool,
) -> Normalised {
    let [x, residual] = [x, residual].map(contiguous);
    let [added, weight, bias] = parameters.map(contiguous);
    let [rows, columns] = table(&x);
    let shape = residual.meta.shape().clone();
    let [output, normalised] = [(); 2].map(|()| empty(&residual, shape.clone(), DType::F32));
    let inverse = empty(&residual, [rows].into(), DType::F32);
    let operand = x.dtype;
    // In 32 bits the output is its copy.
    let own = copied && operand != DType::F32;
    let mut copies: Vec<CubeTensor> = own
        .then(|| empty(&residual, shape, operand))
        .into_iter()
        .collect();
    let client = x.client.clone();
    forward_kernel::launch(
        &client,
        cubes(rows),
        CubeDim::new_1d(UNITS as u32),
        x.into_buffer_arg(),
        added.into_buffer_arg(),
        residual.into_buffer_arg(),
        weight.into_buffer_arg(),
        bias.into_buffer_arg(),
        output.clone().into_buffer_arg(),
        normalised.clone().into_buffer_arg(),
        inverse.clone().into_buffer_arg(),
        buffers(&copies),
        rows,
        epsilon as f32,
        mask_args(dropout),
        columns,
        dropout.is_some(),
        own,
        dtype_to_storage_type(operand),
    );
    let copy = copied.then(|| copies.pop().unwrap_or_else(|| output.clone()));
    Normalised {
        output,
        normalised,
        inverse,
        copy,
    }
}

/// The gradients of `x` and the residual, and those of weight, bias and `b`, as shares. `more` is a second gradient of the
/// output, in the type of operands.
pub(super) fn backward(
    gradient: CubeTensor,
    more: Option<CubeTensor>,
    [normalised, inverse, weight]: [CubeTensor; 3],
    operand: DType,
    dropout: Option<Dropout>,
) -> (CubeTensor, CubeTensor, Parts) {
    let [gradient, normalised, inverse, weight] =
        [gradient, normalised, inverse, weight].map(contiguous);
    let more: Vec<CubeTensor> = more.into_iter().map(contiguous).collect();
    let [rows, columns] = table(&gradient);
    let shape = gradient.meta.shape().clone();
    let of_x = empty(&gradient, shape.clone(), operand);
    let of_residual = empty(&gradient, shape, DType::F32);
    let shares = rows.div_ceil(ROWS);
    let parts = empty(&gradient, [shares, 3 * columns].into(), DType::F32);
    let client = gradient.client.clone();
    backward_kernel::launch(
        &client,
        cubes(shares),
        CubeDim::new_1d(UNITS as u32),
        gradient.into_buffer_arg(),
        buffers(&more),
        normalised.into_buffer_arg(),
        inverse.into_buffer_arg(),
        weight.into_buffer_arg(),
        of_x.clone().into_buffer_arg(),
        of_residual.clone().into_buffer_arg(),
        parts.clone().into_buffer_arg(),
        rows,
        mask_args(dropout),
        columns,
        dropout.is_some(),
        !more.is_empty(),
        dtype_to_storage_type(operand),
    );
    let widths = vec![columns; 3];
    let sums = parts;
    (of_x, of_residual, Parts { sums, widths })
}
