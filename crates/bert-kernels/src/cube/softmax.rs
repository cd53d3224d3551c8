//! `dropout(softmax(scale * scores + mask))` over the last axis: one launch forward, one backward.

use burn_backend::cubecl::dtype_to_storage_type;
use burn_cubecl::tensor::CubeTensor;
use cubecl::ir::ElemType;
use cubecl::prelude::*;

use super::dropout::{Mask, mask_args};
use super::memory::{buffers, contiguous, empty, owned};
use super::units::{UNITS, cubes, largest_of_units, sum_over_units};
use crate::attention::MASKED_SCORE;
use crate::dropout::Dropout;

/// A cube computes the weights of a query, in the place of its scores, and what dropout leaves of them.
#[cube(launch)]
#[allow(clippy::too_many_arguments)]
fn forward_kernel<X: Float>(
    scores: &mut [X],
    attend: &[f32],
    mut dropped: Sequence<Box<[X]>>,
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
            scores[at] = X::cast_from(weight);
            if comptime!(drops) {
                let dropped = &mut dropped[0];
                dropped[at] = X::cast_from(weight * mask.factor(at as u32));
            }
        }
    }
}

/// A cube computes the gradient of a query's scores, in the place of that of its weights, and what dropout leaves of the
/// weights.
#[cube(launch)]
#[allow(clippy::too_many_arguments)]
fn backward_kernel<X: Float>(
    gradient: &mut [X],
    weights: &[X],
    mut dropped: Sequence<Box<[X]>>,
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
            let weight = f32::cast_from(weights[at]);
            if comptime!(drops) {
                let factor = mask.factor(at as u32);
                received *= factor;
                let dropped = &mut dropped[0];
                dropped[at] = X::cast_from(weight * factor);
            }
            values[turn] = received;
            sum += received * weight;
        }
    }
    let along = sum_over_units(sum, &mut shared, UNITS);
    #[unroll]
    for turn in 0..turns {
        let column = turn * UNITS + unit;
        if column < columns {
            let at = row * columns + column;
            let weight = f32::cast_from(weights[at]);
            gradient[at] = X::cast_from(weight * (values[turn] - along) * scale);
        }
    }
}

fn columns(scores: &CubeTensor) -> usize {
    scores.meta.shape().last().copied().unwrap_or(1)
}

/// Memory for what dropout leaves; none without dropout.
fn place(like: &CubeTensor, dropout: Option<Dropout>) -> Vec<CubeTensor> {
    let made = dropout.map(|_| empty(like, like.meta.shape().clone(), like.dtype));
    made.into_iter().collect()
}

/// The weights, and what dropout leaves of them.
pub(super) fn forward(
    scores: CubeTensor,
    attend: Option<CubeTensor>,
    scale: f64,
    dropout: Option<Dropout>,
) -> [CubeTensor; 2] {
    let scores = owned(scores);
    let columns = columns(&scores);
    let rows = scores.meta.num_elements() / columns.max(1);
    let texts = scores.meta.shape()[0].max(1);
    let mut dropped = place(&scores, dropout);
    let masked = attend.is_some();
    let attend = attend.map_or_else(
        || empty(&scores, [1].into(), burn_backend::DType::F32),
        contiguous,
    );
    let client = scores.client.clone();
    forward_kernel::launch(
        &client,
        cubes(rows),
        CubeDim::new_1d(UNITS as u32),
        scores.clone().into_buffer_arg(),
        attend.into_buffer_arg(),
        buffers(&dropped),
        rows,
        rows / texts,
        columns,
        scale as f32,
        mask_args(dropout),
        columns.div_ceil(UNITS),
        masked,
        dropout.is_some(),
        dtype_to_storage_type(scores.dtype),
    );
    let dropped = dropped.pop().unwrap_or_else(|| scores.clone());
    [scores, dropped]
}

/// The gradient of the scores, and what dropout leaves of the weights.
pub(super) fn backward(
    gradient: CubeTensor,
    softmax: CubeTensor,
    scale: f64,
    dropout: Option<Dropout>,
) -> [CubeTensor; 2] {
    let (gradient, softmax) = (owned(gradient), contiguous(softmax));
    let columns = columns(&gradient);
    let rows = gradient.meta.num_elements() / columns.max(1);
    let mut dropped = place(&gradient, dropout);
    let client = gradient.client.clone();
    backward_kernel::launch(
        &client,
        cubes(rows),
        CubeDim::new_1d(UNITS as u32),
        gradient.clone().into_buffer_arg(),
        softmax.clone().into_buffer_arg(),
        buffers(&dropped),
        rows,
        columns,
        scale as f32,
        mask_args(dropout),
        columns.div_ceil(UNITS),
        dropout.is_some(),
        dtype_to_storage_type(gradient.dtype),
    );
    let dropped = dropped.pop().unwrap_or(softmax);
    [gradient, dropped]
}
