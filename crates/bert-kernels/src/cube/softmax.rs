//! `dropout(softmax(scale * scores + mask))` over the last axis: one launch forward, one backward.

use burn_backend::Shape;
use burn_backend::cubecl::dtype_to_storage_type;
use burn_cubecl::tensor::CubeTensor;
use cubecl::ir::ElemType;
use cubecl::prelude::*;

use super::dropout::{Mask, mask_args};
use super::memory::{contiguous, empty};
use super::units::{UNITS, cubes, largest_of_units, sum_over_units};
use crate::attention::MASKED_SCORE;
use crate::dropout::Dropout;

/// A cube computes the weights of a query.
#[cube(launch)]
#[allow(clippy::too_many_arguments)]
fn forward_kernel<X: Float>(
    scores: &[X],
    attend: &[f32],
    weights: &mut [X],
    dropped: &mut [X],
    rows: usize,
    rows_of_text: usize,
    columns: usize,
    scale: f32,
    mask: &Mask,
    #[comptime] turns: usize,
    #[comptime] masked: bool,
    #[comptime] drops: bool,
    #[define(X)] _operand: ElemType,
) {
    let row = CUBE_POS;
    if row >= rows {
        terminate!();
    }
    let unit = UNIT_POS as usize;
    let text = row / rows_of_text;
    let mut shared = Shared::<[f32]>::new_slice(UNITS);
    let mut values = Array::<f32>::new(turns);
    let mut most = f32::new(-3.0e38);
    #[unroll]
    for turn in 0..turns {
        let column = turn * UNITS + unit;
        if column < columns {
            let mut value = f32::cast_from(scores[row * columns + column]) * scale;
            if comptime!(masked) {
                value +=
                    (attend[text * columns + column] - 1.0f32) * comptime!(-MASKED_SCORE as f32);
            }
            values[turn] = value;
            most = max(most, value);
        }
    }
    let most = largest_of_units(most, &mut shared, UNITS);
    let mut sum = 0.0f32;
    #[unroll]
    for turn in 0..turns {
        let column = turn * UNITS + unit;
        if column < columns {
            let value = (values[turn] - most).exp();
            values[turn] = value;
            sum += value;
        }
    }
    let share = sum_over_units(sum, &mut shared, UNITS).recip();
    #[unroll]
    for turn in 0..turns {
        let column = turn * UNITS + unit;
        if column < columns {
            let at = row * columns + column;
            let weight = values[turn] * share;
            weights[at] = X::cast_from(weight);
            if comptime!(drops) {
                dropped[at] = X::cast_from(weight * mask.factor(at as u32));
            }
        }
    }
}

/// A cube computes the gradient of a query's scores.
#[cube(launch)]
fn backward_kernel<X: Float>(
    gradient: &[X],
    weights: &[X],
    of_scores: &mut [X],
    rows: usize,
    columns: usize,
    scale: f32,
    mask: &Mask,
    #[comptime] turns: usize,
    #[comptime] drops: bool,
    #[define(X)] _operand: ElemType,
) {
    let row = CUBE_POS;
    if row >= rows {
        terminate!();
    }
    let unit = UNIT_POS as usize;
    let mut shared = Shared::<[f32]>::new_slice(UNITS);
    let mut values = Array::<f32>::new(turns);
    let mut sum = 0.0f32;
    #[unroll]
    for turn in 0..turns {
        let column = turn * UNITS + unit;
        if column < columns {
            let at = row * columns + column;
            let mut received = f32::cast_from(gradient[at]);
            if comptime!(drops) {
                received *= mask.factor(at as u32);
            }
            values[turn] = received;
            sum += received * f32::cast_from(weights[at]);
        }
    }
    let along = sum_over_units(sum, &mut shared, UNITS);
    #[unroll]
    for turn in 0..turns {
        let column = turn * UNITS + unit;
        if column < columns {
            let at = row * columns + column;
            let weight = f32::cast_from(weights[at]);
            of_scores[at] = X::cast_from(weight * (values[turn] - along) * scale);
        }
    }
}

fn columns(scores: &CubeTensor) -> usize {
    scores.meta.shape().last().copied().unwrap_or(1)
}

/// The weights, dropped and as they are.
pub(super) fn forward(
    scores: CubeTensor,
    attend: Option<CubeTensor>,
    scale: f64,
    dropout: Option<Dropout>,
) -> [CubeTensor; 2] {
    let scores = contiguous(scores);
    let columns = columns(&scores);
    let shape: Shape = scores.meta.shape().clone();
    let rows = scores.meta.num_elements() / columns.max(1);
    let texts = shape[0].max(1);
    let softmax = empty(&scores, shape.clone(), scores.dtype);
    let nothing = || empty(&scores, [1].into(), scores.dtype);
    let dropped = if dropout.is_some() {
        empty(&scores, shape, scores.dtype)
    } else {
        nothing()
    };
    let masked = attend.is_some();
    let attend = attend.map_or_else(
        || empty(&scores, [1].into(), burn_backend::DType::F32),
        contiguous,
    );
    let client = scores.client.clone();
    let operand = dtype_to_storage_type(scores.dtype);
    forward_kernel::launch(
        &client,
        cubes(rows),
        CubeDim::new_1d(UNITS as u32),
        scores.into_buffer_arg(),
        attend.into_buffer_arg(),
        softmax.clone().into_buffer_arg(),
        dropped.clone().into_buffer_arg(),
        rows,
        rows / texts,
        columns,
        scale as f32,
        mask_args(dropout),
        columns.div_ceil(UNITS),
        masked,
        dropout.is_some(),
        operand,
    );
    if dropout.is_some() {
        [dropped, softmax]
    } else {
        [softmax.clone(), softmax]
    }
}

/// The gradient of the scores.
pub(super) fn backward(
    gradient: CubeTensor,
    softmax: CubeTensor,
    scale: f64,
    dropout: Option<Dropout>,
) -> CubeTensor {
    let [gradient, softmax] = [gradient, softmax].map(contiguous);
    let columns = columns(&gradient);
    let rows = gradient.meta.num_elements() / columns.max(1);
    let of_scores = empty(&gradient, gradient.meta.shape().clone(), gradient.dtype);
    let client = gradient.client.clone();
    let operand = dtype_to_storage_type(gradient.dtype);
    backward_kernel::launch(
        &client,
        cubes(rows),
        CubeDim::new_1d(UNITS as u32),
        gradient.into_buffer_arg(),
        softmax.into_buffer_arg(),
        of_scores.clone().into_buffer_arg(),
        rows,
        columns,
        scale as f32,
        mask_args(dropout),
        columns.div_ceil(UNITS),
        dropout.is_some(),
        operand,
    );
    of_scores
}
