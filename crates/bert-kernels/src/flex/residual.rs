//! `LayerNorm(dropout(x) + residual)` on the CPU.

use std::mem::MaybeUninit;
use std::sync::Arc;

use burn::tensor::Tensor;
use pulp::Simd;
use rayon::prelude::*;

use super::buffer::{Shared, through_pointers};
use super::norm::{AffineGradient, Normalised, dropout_factor, normalise, row_gradient};
use super::{Kernel, apply, buffer, input};
use crate::dropout::Dropout;
use crate::residual::LayerNormParameters;

/// Rows of one parallel piece.
const ROWS: usize = 32;

pub(crate) fn residual_layer_norm(
    x: Tensor<3>,
    residual: Tensor<3>,
    norm: LayerNormParameters,
    dropout: Option<Dropout>,
) -> Tensor<3> {
    let shape = x.dims();
    let tracked = x.is_autodiff() || norm.weight.is_autodiff();
    let kernel = ResidualLayerNorm {
        width: shape[2],
        epsilon: norm.epsilon as f32,
        dropout,
    };
    let operands = [
        input(x, tracked),
        input(residual, tracked),
        input(norm.weight, tracked),
        input(norm.bias, tracked),
    ];
    apply(kernel, operands, shape)
}

#[derive(Debug, Clone)]
struct ResidualLayerNorm {
    width: usize,
    epsilon: f32,
    dropout: Option<Dropout>,
}

impl ResidualLayerNorm {
    /// A normalised row of `dropout(x) + residual` and its scale; `start` is the place of its first element.
    #[inline(always)]
    fn normalised<'a>(
        &self,
        row: &'a mut [MaybeUninit<f32>],
        start: usize,
        x: &[f32],
        residual: &[f32],
    ) -> (&'a mut [f32], f32) {
        let (x, residual) = (&x[start..][..row.len()], &residual[start..][..row.len()]);
        let row = buffer::fill(row, |c| {
            x[c] * dropout_factor(self.dropout, start + c) + residual[c]
        });
        let scale = normalise(row, self.epsilon);
        (row, scale)
    }
}

impl Kernel<4> for ResidualLayerNorm {
    type Saved = Normalised;
    const KEEPS: [bool; 4] = [false, false, true, false];

    fn forward(
        &self,
        simd: impl Simd,
        [x, residual, weight, bias]: [&[f32]; 4],
        training: bool,
    ) -> (Vec<f32>, Normalised) {
        let width = self.width;
        let piece = ROWS * width;
        let kept = if training { x.len() } else { 0 };
        let write = |[to_values]: [Shared; 1]| {
            // SAFETY: there is one scale for each row, and a piece is whole rows, all of which are filled.
            let ([scales], out) = unsafe {
                through_pointers(x.len() / width, |[to_scales]: [Shared; 1]| {
                    buffer::written(simd, x.len(), piece, |start, rows| {
                        for (r, row) in rows.chunks_exact_mut(width).enumerate() {
                            let start = start + r * width;
                            let scale = if training {
                                let values = to_values.piece(start, width);
                                let (values, scale) = self.normalised(values, start, x, residual);
                                buffer::fill(row, |c| values[c] * weight[c] + bias[c]);
                                scale
                            } else {
                                let (values, scale) = self.normalised(row, start, x, residual);
                                for (c, value) in values.iter_mut().enumerate() {
                                    *value = *value * weight[c] + bias[c];
                                }
                                scale
                            };
                            to_scales.at(start / width).write(scale);
                        }
                    })
                })
            };
            (out, scales)
        };
        // SAFETY: in training each row's values are written, by the task that has the row.
        let ([values], (out, scales)) = unsafe { through_pointers(kept, write) };
        (
            out,
            Normalised {
                values: Arc::new(values),
                scales: Arc::new(scales),
            },
        )
    }

    fn backward(
        &self,
        simd: impl Simd,
        [_, _, weight, _]: [&[f32]; 4],
        saved: &Normalised,
        gradient: &[f32],
    ) -> [Vec<f32>; 4] {
        let width = self.width;
        let piece = ROWS * width;
        let pieces = gradient.len().div_ceil(piece);
        let of_piece = |n: usize, to_x: Shared, to_residual: Shared| {
            let mut affine = AffineGradient::zeros(width);
            let end = gradient.len().min((n + 1) * piece);
            for start in (n * piece..end).step_by(width) {
                let gradient = &gradient[start..start + width];
                // SAFETY: the row is within the buffers, and this piece's only.
                let (dx, d_residual) =
                    unsafe { (to_x.piece(start, width), to_residual.piece(start, width)) };
                let d_residual = row_gradient(
                    d_residual,
                    |c| gradient[c],
                    weight,
                    &saved.values[start..start + width],
                    saved.scales[start / width],
                    &mut affine,
                );
                buffer::fill(dx, |c| {
                    d_residual[c] * dropout_factor(self.dropout, start + c)
                });
            }
            affine
        };
        let write = |[to_x, to_residual]: [Shared; 2]| -> Vec<AffineGradient> {
            let pieces = (0..pieces).into_par_iter();
            let of_piece = |n| simd.vectorize(|| of_piece(n, to_x, to_residual));
            pieces.map(of_piece).collect()
        };
        // SAFETY: the pieces are together all rows, and each writes its rows.
        let ([dx, d_residual], partial) = unsafe { through_pointers(gradient.len(), write) };
        let affine = AffineGradient::sum(width, &partial);
        [dx, d_residual, affine.weight, affine.bias]
    }
}
