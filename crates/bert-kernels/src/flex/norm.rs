//! Rows of a layer normalisation, forward and backward.

use std::mem::MaybeUninit;
use std::sync::Arc;

use super::buffer;
use super::math::sum;
use crate::dropout::Dropout;

/// What normalisation leaves for the backward pass.
#[derive(Debug, Clone)]
pub(super) struct Normalised {
    /// `(x - mean) / √(variance + ε)`, row-major.
    pub(super) values: Arc<Vec<f32>>,
    /// `1 / √(variance + ε)` of each row.
    pub(super) scales: Arc<Vec<f32>>,
}

/// The factor of dropout on the element at a flat index; 1 where nothing is dropped.
#[inline(always)]
pub(super) fn dropout_factor(dropout: Option<Dropout>, index: usize) -> f32 {
    dropout.map_or(1.0, |dropout| dropout.factor(index as u32))
}

/// Normalises a row in place and returns its scale, `1 / √(variance + ε)`.
#[inline(always)]
pub(super) fn normalise(row: &mut [f32], epsilon: f32) -> f32 {
    let count = row.len() as f32;
    let mean = sum([row], |[value]| value) / count;
    let variance = sum([row], |[value]| (value - mean) * (value - mean)) / count;
    let scale = (variance + epsilon).sqrt().recip();
    for value in row {
        *value = (*value - mean) * scale;
    }
    scale
}

/// The gradients of scale and shift, summed over rows.
#[derive(Debug, Clone)]
pub(super) struct AffineGradient {
    pub(super) weight: Vec<f32>,
    pub(super) bias: Vec<f32>,
}

impl AffineGradient {
    pub(super) fn zeros(width: usize) -> Self {
        Self {
            weight: vec![0.0; width],
            bias: vec![0.0; width],
        }
    }

    /// Sums parts in their order.
    pub(super) fn sum<'a>(width: usize, parts: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut all = Self::zeros(width);
        for part in parts {
            for c in 0..width {
                all.weight[c] += part.weight[c];
                all.bias[c] += part.bias[c];
            }
        }
        all
    }

    /// Adds a row.
    #[inline(always)]
    fn add(&mut self, gradient: &[f32], normalised: &[f32]) {
        let sums = self.weight.iter_mut().zip(&mut self.bias);
        for ((weight, bias), (gradient, normalised)) in sums.zip(gradient.iter().zip(normalised)) {
            *weight += gradient * normalised;
            *bias += gradient;
        }
    }
}

/// Writes the gradient of what was normalised, and adds to those of scale and shift. `gradient` is that of the
/// output, element by element.
#[inline(always)]
pub(super) fn row_gradient<'a>(
    to: &'a mut [MaybeUninit<f32>],
    gradient: impl Fn(usize) -> f32,
    weight: &[f32],
    normalised: &[f32],
    scale: f32,
    affine: &mut AffineGradient,
) -> &'a mut [f32] {
    let width = to.len();
    let (weight, normalised) = (&weight[..width], &normalised[..width]);
    let row = buffer::fill(to, gradient);
    let mean = sum([row, weight], |[d, weight]| d * weight) / width as f32;
    let projection = sum([row, weight, normalised], |[d, weight, normalised]| {
        d * weight * normalised
    }) / width as f32;
    affine.add(row, normalised);
    for ((d, weight), normalised) in row.iter_mut().zip(weight).zip(normalised) {
        *d = scale * (*d * weight - mean - normalised * projection);
    }
    row
}
