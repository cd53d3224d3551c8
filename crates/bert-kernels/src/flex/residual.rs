//! `LayerNorm(dropout(x) + residual)` on the CPU.

use std::sync::Arc;

use burn::tensor::Tensor;
use rayon::prelude::*;

use super::math::sum;
use super::{Kernel, apply, input};
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

/// What normalisation leaves for the backward pass.
#[derive(Debug, Clone)]
struct Normalised {
    /// `(sum - mean) / √(variance + ε)`, row-major.
    values: Arc<Vec<f32>>,
    /// `1 / √(variance + ε)` of each row.
    scales: Arc<Vec<f32>>,
}

impl ResidualLayerNorm {
    #[inline(always)]
    fn factor(&self, index: usize) -> f32 {
        self.dropout
            .map_or(1.0, |dropout| dropout.factor(index as u32))
    }
}

impl Kernel<4> for ResidualLayerNorm {
    type Saved = Normalised;
    const KEEPS: [bool; 4] = [false, false, true, false];

    fn forward(
        &self,
        [x, residual, weight, bias]: [&[f32]; 4],
        training: bool,
    ) -> (Vec<f32>, Normalised) {
        let width = self.width;
        let mut out = vec![0.0; x.len()];
        let mut values = vec![0.0; if training { x.len() } else { 0 }];
        let mut scales = vec![0.0; x.len() / width];
        let piece = ROWS * width;
        // In evaluation nothing is kept: each piece normalises into a row of its own.
        let kept = match training {
            true => values.par_chunks_mut(piece).map(Some).collect::<Vec<_>>(),
            false => (0..x.len().div_ceil(piece)).map(|_| None).collect(),
        };
        out.par_chunks_mut(piece)
            .zip(kept)
            .zip(scales.par_chunks_mut(ROWS))
            .enumerate()
            .for_each(|(n, ((out, mut kept), scales))| {
                let mut scratch = vec![0.0; width];
                for (r, (out, scale)) in out.chunks_exact_mut(width).zip(scales).enumerate() {
                    let start = n * piece + r * width;
                    let row = match &mut kept {
                        Some(kept) => &mut kept[r * width..(r + 1) * width],
                        None => &mut scratch[..],
                    };
                    let terms = x[start..start + width]
                        .iter()
                        .zip(&residual[start..start + width]);
                    for (c, (value, (x, residual))) in row.iter_mut().zip(terms).enumerate() {
                        *value = x * self.factor(start + c) + residual;
                    }
                    let mean = sum(row.iter().copied()) / width as f32;
                    let variance = sum(row.iter().map(|v| (v - mean) * (v - mean))) / width as f32;
                    *scale = (variance + self.epsilon).sqrt().recip();
                    for ((value, out), (w, b)) in
                        row.iter_mut().zip(out).zip(weight.iter().zip(bias))
                    {
                        *value = (*value - mean) * *scale;
                        *out = *value * w + b;
                    }
                }
            });
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
        [_, _, weight, _]: [&[f32]; 4],
        saved: &Normalised,
        gradient: &[f32],
    ) -> [Vec<f32>; 4] {
        let width = self.width;
        let piece = ROWS * width;
        let mut dx = vec![0.0; gradient.len()];
        let mut d_residual = vec![0.0; gradient.len()];
        let partial: Vec<[Vec<f32>; 2]> = dx
            .par_chunks_mut(piece)
            .zip(d_residual.par_chunks_mut(piece))
            .enumerate()
            .map(|(n, (dx, d_residual))| {
                let mut d_weight = vec![0.0; width];
                let mut d_bias = vec![0.0; width];
                let rows = dx
                    .chunks_exact_mut(width)
                    .zip(d_residual.chunks_exact_mut(width));
                for (r, (dx, d_residual)) in rows.enumerate() {
                    let start = n * piece + r * width;
                    let normalised = &saved.values[start..start + width];
                    let gradient = &gradient[start..start + width];
                    let scale = saved.scales[start / width];
                    let terms = || gradient.iter().zip(weight).map(|(g, w)| g * w);
                    let mean = sum(terms()) / width as f32;
                    let products = terms().zip(normalised).map(|(t, v)| t * v);
                    let projection = sum(products) / width as f32;
                    for (c, term) in terms().enumerate() {
                        let d_sum = scale * (term - mean - normalised[c] * projection);
                        d_residual[c] = d_sum;
                        dx[c] = d_sum * self.factor(start + c);
                        d_weight[c] += gradient[c] * normalised[c];
                        d_bias[c] += gradient[c];
                    }
                }
                [d_weight, d_bias]
            })
            .collect();
        let mut d_weight = vec![0.0; width];
        let mut d_bias = vec![0.0; width];
        for [weight, bias] in &partial {
            for c in 0..width {
                d_weight[c] += weight[c];
                d_bias[c] += bias[c];
            }
        }
        [dx, d_residual, d_weight, d_bias]
    }
}
