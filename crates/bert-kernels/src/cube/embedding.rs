//! [`crate::embed`]: one launch forward, three backward.

use burn::tensor::{DType, Tensor};
use burn_backend::cubecl::dtype_to_storage_type;
use burn_cubecl::Cube;
use burn_cubecl::ops::reshape;
use burn_cubecl::tensor::CubeTensor;
use cubecl::ir::ElemType;
use cubecl::prelude::*;

use super::dropout::{Mask, mask_args};
use super::heads::Parts;
use super::memory::{contiguous, empty};
use super::norm::{ROWS, means, normalise, table};
use super::rows::sum_parts;
use super::units::{UNITS, cubes};
use super::{Differentiable, ON_GPU, Plain, apply, input, queue_fixed};
use crate::dropout::Dropout;
use crate::embedding::EmbeddingTables;
use crate::residual::LayerNormParameters;

/// Segments at most: a unit sums the gradients of each in a register.
const MOST_TYPES: usize = 4;

/// Whether the kernels take a table of segments.
pub(crate) fn takes(types: &Tensor<2>) -> bool {
    types.dims()[0] <= MOST_TYPES
}

/// A cube takes a token.
#[cube(launch)]
#[allow(clippy::too_many_arguments)]
fn forward_kernel<I: Int>(
    words: &[f32],
    positions: &[f32],
    types: &[f32],
    ids: &[I],
    weight: &[f32],
    bias: &[f32],
    output: &mut [f32],
    normalised: &mut [f32],
    inverse: &mut [f32],
    rows: usize,
    seq: usize,
    epsilon: f32,
    mask: &Mask,
    #[comptime] columns: usize,
    #[comptime] drops: bool,
    #[define(I)] _id: ElemType,
) {
    let row = CUBE_POS;
    if row >= rows {
        terminate!();
    }
    let unit = UNIT_POS as usize;
    let turns = comptime!(columns.div_ceil(UNITS));
    let position = row % seq;
    let kind = usize::cast_from(ids[row]);
    let mut shared = Shared::<[f32]>::new_slice(UNITS);
    let mut values = Array::<f32>::new(turns);
    #[unroll]
    for turn in 0..turns {
        let column = turn * UNITS + unit;
        if column < columns {
            let place = positions[position * columns + column];
            values[turn] = words[row * columns + column] + place + types[kind * columns + column];
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
            let mut value = value * weight[column] + bias[column];
            if comptime!(drops) {
                value *= mask.factor(at as u32);
            }
            output[at] = value;
        }
    }
    if unit == 0 {
        inverse[row] = scale;
    }
}

/// A cube computes the gradients of some tokens' sums, and their share of those of weight, bias and segments.
#[cube(launch)]
#[allow(clippy::too_many_arguments)]
fn backward_kernel<I: Int>(
    gradient: &[f32],
    normalised: &[f32],
    inverse: &[f32],
    ids: &[I],
    weight: &[f32],
    of_words: &mut [f32],
    parts: &mut [f32],
    rows: usize,
    mask: &Mask,
    #[comptime] columns: usize,
    #[comptime] types: usize,
    #[comptime] drops: bool,
    #[define(I)] _id: ElemType,
) {
    let first = CUBE_POS * ROWS;
    if first >= rows {
        terminate!();
    }
    let unit = UNIT_POS as usize;
    let turns = comptime!(columns.div_ceil(UNITS));
    let mut shared = Shared::<[f32]>::new_slice(UNITS);
    let mut received = Array::<f32>::new(turns);
    let mut of_weight = Array::<f32>::new(turns);
    let mut of_bias = Array::<f32>::new(turns);
    let mut of_types = Array::<f32>::new(comptime!(turns * types));
    #[unroll]
    for turn in 0..turns {
        of_weight[turn] = 0.0f32;
        of_bias[turn] = 0.0f32;
        #[unroll]
        for kind in 0..types {
            of_types[turn * types + kind] = 0.0f32;
        }
    }
    let last = min(first + ROWS, rows);
    let mut row = first;
    while row < last {
        #[unroll]
        for turn in 0..turns {
            let column = turn * UNITS + unit;
            if column < columns {
                let at = row * columns + column;
                let mut value = gradient[at];
                if comptime!(drops) {
                    value *= mask.factor(at as u32);
                }
                received[turn] = value;
            }
        }
        let (mean, along) = means(&received, normalised, weight, row, &mut shared, columns);
        let scale = inverse[row];
        let own = usize::cast_from(ids[row]);
        #[unroll]
        for turn in 0..turns {
            let column = turn * UNITS + unit;
            if column < columns {
                let at = row * columns + column;
                let value = normalised[at];
                let received = received[turn];
                let of_sum = scale * (received * weight[column] - mean - value * along);
                of_words[at] = of_sum;
                of_weight[turn] += received * value;
                of_bias[turn] += received;
                #[unroll]
                for kind in 0..types {
                    if own == kind {
                        of_types[turn * types + kind] += of_sum;
                    }
                }
            }
        }
        row += 1;
    }
    #[unroll]
    for turn in 0..turns {
        let column = turn * UNITS + unit;
        if column < columns {
            let at = CUBE_POS * comptime!((2 + types) * columns) + column;
            parts[at] = of_weight[turn];
            parts[at + columns] = of_bias[turn];
            #[unroll]
            for kind in 0..types {
                parts[at + comptime!((2 + kind) * columns)] = of_types[turn * types + kind];
            }
        }
    }
}

/// Sums the gradients of each position over the texts; those of positions beyond a text are 0.
#[cube(launch)]
fn positions_kernel(
    of_words: &[f32],
    of_positions: &mut [f32],
    count: usize,
    texts: usize,
    of_text: usize,
) {
    let at = ABSOLUTE_POS;
    if at >= count {
        terminate!();
    }
    let mut sum = 0.0f32;
    if at < of_text {
        for text in 0..texts {
            sum += of_words[text * of_text + at];
        }
    }
    of_positions[at] = sum;
}

#[derive(Clone, Debug)]
struct Embed {
    /// `[batch, seq]`
    ids: Plain,
    epsilon: f64,
    dropout: Option<Dropout>,
}

#[derive(Clone, Debug)]
struct Saved {
    normalised: Plain,
    inverse: Plain,
    weight: Plain,
    /// Entries of the tables of positions and segments.
    entries: [usize; 2],
}

impl Embed {
    /// The output, what was normalised, and one over the standard deviations.
    fn launch(
        [words, positions, types, ids, weight, bias]: [CubeTensor; 6],
        epsilon: f64,
        dropout: Option<Dropout>,
    ) -> [CubeTensor; 3] {
        let [rows, columns] = table(&words);
        let seq = words.meta.shape()[1];
        let shape = words.meta.shape().clone();
        let [output, normalised] = [(), ()].map(|()| empty(&words, shape.clone(), DType::F32));
        let inverse = empty(&words, [rows].into(), DType::F32);
        let (client, id) = (words.client.clone(), dtype_to_storage_type(ids.dtype));
        forward_kernel::launch(
            &client,
            cubes(rows),
            CubeDim::new_1d(UNITS as u32),
            words.into_buffer_arg(),
            positions.into_buffer_arg(),
            types.into_buffer_arg(),
            ids.into_buffer_arg(),
            weight.into_buffer_arg(),
            bias.into_buffer_arg(),
            output.clone().into_buffer_arg(),
            normalised.clone().into_buffer_arg(),
            inverse.clone().into_buffer_arg(),
            rows,
            seq,
            epsilon as f32,
            mask_args(dropout),
            columns,
            dropout.is_some(),
            id,
        );
        [output, normalised, inverse]
    }

    /// The gradients of words, positions, segments, weight and bias.
    fn launch_backward(
        [gradient, normalised, inverse, ids, weight]: [CubeTensor; 5],
        [positions, types]: [usize; 2],
        dropout: Option<Dropout>,
    ) -> [CubeTensor; 5] {
        let [rows, columns] = table(&gradient);
        let shape = gradient.meta.shape().clone();
        let [texts, seq] = [shape[0], shape[1]];
        let of_words = empty(&gradient, shape, DType::F32);
        let shares = rows.div_ceil(ROWS);
        let parts = empty(
            &gradient,
            [shares, (2 + types) * columns].into(),
            DType::F32,
        );
        let (client, id) = (gradient.client.clone(), dtype_to_storage_type(ids.dtype));
        backward_kernel::launch(
            &client,
            cubes(shares),
            CubeDim::new_1d(UNITS as u32),
            gradient.into_buffer_arg(),
            normalised.into_buffer_arg(),
            inverse.into_buffer_arg(),
            ids.into_buffer_arg(),
            weight.into_buffer_arg(),
            of_words.clone().into_buffer_arg(),
            parts.clone().into_buffer_arg(),
            rows,
            mask_args(dropout),
            columns,
            types,
            dropout.is_some(),
            id,
        );
        let [weight, bias, of_types] = sum_parts(Parts {
            sums: parts,
            widths: vec![columns, columns, types * columns],
        });
        let of_positions = empty(&of_words, [positions, columns].into(), DType::F32);
        positions_kernel::launch(
            &client,
            cubes((positions * columns).div_ceil(UNITS)),
            CubeDim::new_1d(UNITS as u32),
            of_words.clone().into_buffer_arg(),
            of_positions.clone().into_buffer_arg(),
            positions * columns,
            texts,
            seq * columns,
        );
        let of_types = reshape(of_types, [types, columns].into());
        [of_words, of_positions, of_types, weight, bias]
    }
}

impl Differentiable<5> for Embed {
    type Saved = Saved;

    fn forward(&self, [words, positions, types, weight, bias]: [Plain; 5]) -> (Plain, Saved) {
        let (epsilon, dropout) = (self.epsilon, self.dropout);
        let entries = [positions.shape[0], types.shape[0]];
        let whole = (words.shape.clone(), DType::F32);
        let rows = words.shape[0] * words.shape[1];
        let outputs = [whole.clone(), whole, ([rows].into(), DType::F32)];
        let ids = self.ids.clone();
        let inputs = [words, positions, types, ids, weight.clone(), bias];
        let launch = move |inputs: [_; 6]| Self::launch(inputs.map(contiguous), epsilon, dropout);
        let [output, normalised, inverse] = queue_fixed("embed", inputs, outputs, launch);
        let saved = Saved {
            normalised,
            inverse,
            weight,
            entries,
        };
        (output, saved)
    }

    fn backward(&self, saved: Saved, gradient: Plain) -> [Plain; 5] {
        let (entries, dropout) = (saved.entries, self.dropout);
        let vector = (saved.weight.shape.clone(), DType::F32);
        let columns = vector.0[0];
        let [positions, types] = entries.map(|count| ([count, columns].into(), DType::F32));
        let outputs = [
            (gradient.shape.clone(), DType::F32),
            positions,
            types,
            vector.clone(),
            vector,
        ];
        let Saved {
            normalised,
            inverse,
            weight,
            ..
        } = saved;
        let inputs = [gradient, normalised, inverse, self.ids.clone(), weight];
        let launch =
            move |inputs: [_; 5]| Self::launch_backward(inputs.map(contiguous), entries, dropout);
        queue_fixed("embed_backward", inputs, outputs, launch)
    }
}

pub(crate) fn embed(
    words: Tensor<3>,
    tables: EmbeddingTables,
    token_type_ids: &Tensor<2, burn::tensor::Int>,
    norm: LayerNormParameters,
    dropout: Option<Dropout>,
) -> Tensor<3> {
    let ids = token_type_ids.clone().try_into_primitive::<Cube>();
    let operation = Embed {
        ids: ids.expect(ON_GPU),
        epsilon: norm.epsilon,
        dropout,
    };
    let tracked = words.is_autodiff() || norm.weight.is_autodiff();
    apply(
        operation,
        [
            input(words, tracked),
            input(tables.positions, tracked),
            input(tables.types, tracked),
            input(norm.weight, tracked),
            input(norm.bias, tracked),
        ],
    )
}
