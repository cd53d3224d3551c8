//! Adam's arithmetic in host memory: one parallel pass over weight, gradient and both moments.

use bert_kernels::wide;
use rayon::prelude::*;

use super::{AdamConfig, Moments};

/// Elements of one parallel task; fixed, so that sums do not depend on the number of threads.
const CHUNK: usize = 1 << 15;

/// What the update of one parameter depends on besides values.
pub(super) struct Coefficients {
    /// The factor on the gradient.
    pub(super) clip: f32,
    pub(super) learning_rate: f32,
    pub(super) decay: f32,
    /// On the first moment.
    pub(super) correction_1: f32,
    /// On the root of the second.
    pub(super) correction_2: f32,
    /// Of the new weights in their average.
    pub(super) share: Option<f32>,
    pub(super) config: AdamConfig,
}

/// Updates weights and moments in place.
pub(super) fn update(
    weights: &mut [f32],
    gradient: &[f32],
    moments: &mut Moments,
    with: &Coefficients,
) {
    let (beta_1, beta_2) = (with.config.beta_1 as f32, with.config.beta_2 as f32);
    // 1 - β in f64 first: f32 would lose a third of 0.001's digits.
    let new_1 = (1.0 - with.config.beta_1) as f32;
    let new_2 = (1.0 - with.config.beta_2) as f32;
    let epsilon = with.config.epsilon as f32;
    weights
        .par_chunks_mut(CHUNK)
        .zip(gradient.par_chunks(CHUNK))
        .zip(moments.first.par_chunks_mut(CHUNK))
        .zip(moments.second.par_chunks_mut(CHUNK))
        .for_each(|(((weights, gradient), first), second)| {
            let both = first.iter_mut().zip(second);
            let of_each = weights.iter_mut().zip(gradient).zip(both);
            wide(|| {
                for ((w, g), (m, v)) in of_each {
                    let g = g * with.clip;
                    *m = beta_1 * *m + new_1 * g;
                    *v = beta_2 * *v + new_2 * g * g;
                    let root = v.sqrt() * with.correction_2;
                    let direction = *m * with.correction_1 / (root + epsilon);
                    *w -= with.learning_rate * (direction + with.decay * *w);
                }
            });
        });
    if let Some(share) = with.share {
        let zeros = || vec![0.0; weights.len()];
        average(moments.average.get_or_insert_with(zeros), weights, share);
    }
}

/// Moves an average towards the weights.
fn average(average: &mut [f32], weights: &[f32], share: f32) {
    let both = average.par_chunks_mut(CHUNK).zip(weights.par_chunks(CHUNK));
    both.for_each(|(average, weights)| {
        wide(|| {
            for (a, w) in average.iter_mut().zip(weights) {
                *a += share * (w - *a);
            }
        });
    });
}

/// The squared norm.
pub(super) fn sum_of_squares(values: &[f32]) -> f64 {
    let partial: Vec<f64> = values
        .par_chunks(CHUNK)
        .map(|chunk| {
            // Lanes let the compiler vectorise a sum that it may not reorder.
            let mut lanes = [0.0_f64; 8];
            let (groups, rest) = chunk.as_chunks::<8>();
            wide(|| {
                for group in groups {
                    for (lane, value) in lanes.iter_mut().zip(group) {
                        *lane += f64::from(*value) * f64::from(*value);
                    }
                }
            });
            let rest: f64 = rest.iter().map(|v| f64::from(*v) * f64::from(*v)).sum();
            lanes.iter().sum::<f64>() + rest
        })
        .collect();
    partial.iter().sum()
}
