//! `dropout(LayerNorm(words + positions + types))` on the CPU. A task has the same positions of every row of the
//! batch, so that it alone sums their gradients.

use std::sync::Arc;

use burn::tensor::{Int, Tensor};
use pulp::Simd;
use rayon::prelude::*;

use super::buffer::{self, Shared, through_pointers};
use super::norm::{AffineGradient, Normalised, dropout_factor, normalise, row_gradient};
use super::{Kernel, apply, input};
use crate::dropout::Dropout;
use crate::embedding::EmbeddingTables;
use crate::residual::LayerNormParameters;

/// Positions of one task.
const POSITIONS: usize = 8;

pub(crate) fn embed(
    words: Tensor<3>,
    tables: EmbeddingTables,
    token_type_ids: &Tensor<2, Int>,
    norm: LayerNormParameters,
    dropout: Option<Dropout>,
) -> Tensor<3> {
    let shape = words.dims();
    let tracked = words.is_autodiff() || norm.weight.is_autodiff();
    let ids = token_type_ids.to_data();
    let kernel = Embed {
        batch: shape[0],
        seq: shape[1],
        width: shape[2],
        positions: tables.positions.dims()[0],
        types: tables.types.dims()[0],
        token_type_ids: Arc::new(ids.iter::<i64>().map(|id| id as usize).collect()),
        epsilon: norm.epsilon as f32,
        dropout,
    };
    let operands = [
        input(words, tracked),
        input(tables.positions, tracked),
        input(tables.types, tracked),
        input(norm.weight, tracked),
        input(norm.bias, tracked),
    ];
    apply(kernel, operands, shape)
}

#[derive(Debug, Clone)]
struct Embed {
    batch: usize,
    seq: usize,
    width: usize,
    /// Entries of the table of positions.
    positions: usize,
    /// Entries of the table of segments.
    types: usize,
    /// `[batch, seq]`
    token_type_ids: Arc<Vec<usize>>,
    epsilon: f32,
    dropout: Option<Dropout>,
}

impl Embed {
    /// The rows of a task: each row's number in `[batch * seq]`, and its position.
    fn rows(&self, task: usize) -> impl Iterator<Item = (usize, usize)> {
        let (batch, seq) = (self.batch, self.seq);
        let positions = task * POSITIONS..seq.min((task + 1) * POSITIONS);
        positions.flat_map(move |position| (0..batch).map(move |b| (b * seq + position, position)))
    }

    fn tasks(&self) -> usize {
        self.seq.div_ceil(POSITIONS)
    }
}

impl Kernel<5> for Embed {
    type Saved = Normalised;
    const KEEPS: [bool; 5] = [false, false, false, true, false];

    fn forward(
        &self,
        simd: impl Simd,
        [words, positions, types, weight, bias]: [&[f32]; 5],
        _: bool,
    ) -> (Vec<f32>, Normalised) {
        let width = self.width;
        let write = |[to_scales]: [Shared; 1]| {
            let write = |[to_out, to_values]: [Shared; 2]| {
                let of_task = |task| {
                    for (row, position) in self.rows(task) {
                        let start = row * width;
                        let words = &words[start..start + width];
                        let position = &positions[position * width..][..width];
                        let kind = &types[self.token_type_ids[row] * width..][..width];
                        // SAFETY: the row is within the buffers, and this task's only.
                        unsafe {
                            let values = buffer::fill(to_values.piece(start, width), |c| {
                                words[c] + position[c] + kind[c]
                            });
                            to_scales.at(row).write(normalise(values, self.epsilon));
                            buffer::fill(to_out.piece(start, width), |c| {
                                (values[c] * weight[c] + bias[c])
                                    * dropout_factor(self.dropout, start + c)
                            });
                        }
                    }
                };
                let tasks = (0..self.tasks()).into_par_iter();
                tasks.for_each(|task| simd.vectorize(|| of_task(task)));
            };
            // SAFETY: the tasks' rows are together all rows.
            unsafe { through_pointers(words.len(), write) }
        };
        // SAFETY: as above, each row has one scale.
        let ([scales], ([out, values], ())) =
            unsafe { through_pointers(words.len() / width, write) };
        let saved = Normalised {
            values: Arc::new(values),
            scales: Arc::new(scales),
        };
        (out, saved)
    }

    fn backward(
        &self,
        simd: impl Simd,
        [_, _, _, weight, _]: [&[f32]; 5],
        saved: &Normalised,
        gradient: &[f32],
    ) -> [Vec<f32>; 5] {
        let width = self.width;
        let of_task = |task: usize, to_words: Shared| {
            let mut affine = AffineGradient::zeros(width);
            let mut d_positions = vec![0.0; POSITIONS * width];
            let mut d_types = vec![0.0; self.types * width];
            for (row, position) in self.rows(task) {
                let start = row * width;
                let gradient = &gradient[start..start + width];
                // SAFETY: the row is within the buffer, and this task's only.
                let d_sum = row_gradient(
                    unsafe { to_words.piece(start, width) },
                    |c| gradient[c] * dropout_factor(self.dropout, start + c),
                    weight,
                    &saved.values[start..start + width],
                    saved.scales[row],
                    &mut affine,
                );
                let to_position = &mut d_positions[(position % POSITIONS) * width..][..width];
                let to_type = &mut d_types[self.token_type_ids[row] * width..][..width];
                for c in 0..width {
                    to_position[c] += d_sum[c];
                    to_type[c] += d_sum[c];
                }
            }
            (affine, d_positions, d_types)
        };
        let write = |[to_words]: [Shared; 1]| -> Vec<_> {
            let tasks = (0..self.tasks()).into_par_iter();
            let of_task = |task| simd.vectorize(|| of_task(task, to_words));
            tasks.map(of_task).collect()
        };
        // SAFETY: the tasks' rows are together all rows.
        let ([d_words], parts) = unsafe { through_pointers(gradient.len(), write) };
        let affine = AffineGradient::sum(width, parts.iter().map(|(affine, ..)| affine));
        let mut d_positions = vec![0.0; self.positions * width];
        let mut d_types = vec![0.0; self.types * width];
        for (task, (_, positions, types)) in parts.iter().enumerate() {
            let start = task * POSITIONS * width;
            let end = (start + positions.len()).min(self.seq * width);
            d_positions[start..end].copy_from_slice(&positions[..end - start]);
            for (sum, value) in d_types.iter_mut().zip(types) {
                *sum += value;
            }
        }
        [d_words, d_positions, d_types, affine.weight, affine.bias]
    }
}
