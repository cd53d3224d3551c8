//! Attention on the CPU: one task a head, whose scores stay in cache.
//!
//! Nothing of size `[seq, seq]` outlives a task. The backward pass computes the scores again, which
//! costs less than keeping them (Dao et al. 2022 do the same on GPUs), and the dropout mask with them.

use std::sync::Arc;

use burn::tensor::Tensor;
use pulp::Simd;
use rayon::prelude::*;

use super::buffer::{Shared, through_pointers};
use super::math::{exp, sum};
use super::norm::dropout_factor;
use super::product::{Matrix, Product};
use super::{Kernel, apply, input};
use crate::attention::{Attention, MASKED_SCORE};
use crate::dropout::Dropout;
use crate::pass::Precision;

pub(crate) fn attention(
    [query, key, value]: [Tensor<3>; 3],
    with: &Attention<'_>,
    precision: Precision,
) -> Tensor<3> {
    let shape = query.dims();
    let [batch, seq, hidden] = shape;
    assert!(
        hidden.is_multiple_of(with.heads) && key.dims() == shape && value.dims() == shape,
        "attention: {} heads share a hidden width of {hidden}, and queries, keys and values have one shape",
        with.heads
    );
    let tracked = query.is_autodiff();
    let mask = with.mask.map(|mask| {
        let mask: Vec<f32> = mask.to_data().iter().collect();
        // 1 → 0, 0 → MASKED_SCORE
        let added = mask.iter().map(|m| (1.0 - m) * MASKED_SCORE as f32);
        Arc::new(added.collect::<Vec<f32>>())
    });
    let kernel = HeadsAttention {
        batch,
        seq,
        hidden,
        heads: with.heads,
        mask,
        dropout: with.dropout,
        precision,
    };
    let operands = [
        input(query, tracked),
        input(key, tracked),
        input(value, tracked),
    ];
    apply(kernel, operands, shape)
}

#[derive(Debug, Clone)]
struct HeadsAttention {
    batch: usize,
    seq: usize,
    hidden: usize,
    heads: usize,
    /// Added to the scores, `[batch, seq]`.
    mask: Option<Arc<Vec<f32>>>,
    dropout: Option<Dropout>,
    precision: Precision,
}

/// A score so far below its row's largest weighs nothing: e⁻⁵⁰ is 2e-22. Kept, such weights and their
/// products would be subnormal numbers, which processors multiply a hundred times more slowly.
const NEGLIGIBLE: f32 = -50.0;

/// Buffers of one task, `[seq, seq]` each.
struct Scratch {
    probabilities: Vec<f32>,
    gradient: Vec<f32>,
    dropped: Vec<f32>,
}

impl HeadsAttention {
    fn head(&self) -> usize {
        self.hidden / self.heads
    }

    /// Where a task's rows begin: element (batch, 0, head, 0).
    fn offset(&self, task: usize) -> usize {
        (task / self.heads) * self.seq * self.hidden + (task % self.heads) * self.head()
    }

    /// `[seq, head]` of a task.
    fn part<'a>(&self, values: &'a [f32], task: usize) -> Matrix<'a> {
        Matrix::new(&values[self.offset(task)..], self.hidden)
    }

    fn square<'a>(&self, values: &'a [f32]) -> Matrix<'a> {
        Matrix::new(values, self.seq)
    }

    /// `[seq, seq]` from two `[seq, head]`.
    fn inner(&self, scale: f32) -> Product {
        Product {
            m: self.seq,
            n: self.seq,
            k: self.head(),
            out_row: self.seq,
            scale,
            add: false,
            parallel: false,
            precision: self.precision,
        }
    }

    /// `[seq, head]` from a `[seq, seq]` and a `[seq, head]`.
    fn outer(&self) -> Product {
        Product {
            m: self.seq,
            n: self.head(),
            k: self.seq,
            out_row: self.hidden,
            scale: 1.0,
            add: false,
            parallel: false,
            precision: self.precision,
        }
    }

    fn scale(&self) -> f32 {
        (self.head() as f32).sqrt().recip()
    }

    /// The softmax of a task's scores. `write` is given the place of each row's first element in the task, the row's
    /// weights, and the factor that makes their sum 1.
    #[inline(always)]
    fn probabilities(
        &self,
        task: usize,
        query: &[f32],
        key: &[f32],
        out: &mut [f32],
        mut write: impl FnMut(usize, &mut [f32], f32),
    ) {
        let key = self.part(key, task).transposed();
        self.inner(self.scale())
            .run(out, self.part(query, task), key);
        let row_of_mask = task / self.heads * self.seq;
        let mask = self
            .mask
            .as_ref()
            .map(|mask| &mask[row_of_mask..row_of_mask + self.seq]);
        for (n, row) in out.chunks_exact_mut(self.seq).enumerate() {
            if let Some(mask) = mask {
                for (score, added) in row.iter_mut().zip(mask) {
                    *score += added;
                }
            }
            let largest = largest(row);
            for score in row.iter_mut() {
                let shifted = *score - largest;
                *score = if shifted < NEGLIGIBLE {
                    0.0
                } else {
                    exp(shifted)
                };
            }
            let inverse = sum([row], |[weight]| weight).recip();
            write(n * self.seq, row, inverse);
        }
    }

    /// The factor of dropout on an element of a task's `[seq, seq]`.
    #[inline(always)]
    fn kept(&self, task: usize, n: usize) -> f32 {
        dropout_factor(self.dropout, task * self.seq * self.seq + n)
    }

    /// From the gradient of the dropped probabilities to that of the unscaled scores, in place.
    #[inline(always)]
    fn softmax_gradient(&self, gradient: &mut [f32], probabilities: &[f32], dropped: &[f32]) {
        let scale = self.scale();
        let rows = gradient.chunks_exact_mut(self.seq);
        let of_softmax = probabilities.chunks_exact(self.seq);
        for ((d_row, row), dropped) in rows.zip(of_softmax).zip(dropped.chunks_exact(self.seq)) {
            // What was dropped is in `dropped`: the mask need not be made again.
            let projection = sum([d_row, dropped], |[d, dropped]| d * dropped);
            for ((d, p), dropped) in d_row.iter_mut().zip(row).zip(dropped) {
                *d = (*d * dropped - p * projection) * scale;
            }
        }
    }

    fn scratch(&self) -> Scratch {
        let zeros = || vec![0.0; self.seq * self.seq];
        Scratch {
            probabilities: zeros(),
            gradient: zeros(),
            dropped: zeros(),
        }
    }
}

#[inline(always)]
fn largest(row: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; 16];
    let (groups, rest) = row.as_chunks::<16>();
    for group in groups {
        for (lane, value) in lanes.iter_mut().zip(group) {
            *lane = if *value > *lane { *value } else { *lane };
        }
    }
    rest.iter()
        .chain(&lanes)
        .copied()
        .fold(f32::NEG_INFINITY, f32::max)
}

impl Kernel<3> for HeadsAttention {
    type Saved = ();
    const KEEPS: [bool; 3] = [true, true, true];

    fn forward(
        &self,
        simd: impl Simd,
        [query, key, value]: [&[f32]; 3],
        _: bool,
    ) -> (Vec<f32>, ()) {
        let tasks = 0..self.batch * self.heads;
        let write = |[out]: [Shared; 1]| {
            tasks.into_par_iter().for_each_init(
                || vec![0.0; self.seq * self.seq],
                |probabilities, task| {
                    simd.vectorize(|| {
                        self.probabilities(
                            task,
                            query,
                            key,
                            probabilities,
                            |start, row, inverse| {
                                for (n, weight) in row.iter_mut().enumerate() {
                                    *weight *= inverse * self.kept(task, start + n);
                                }
                            },
                        );
                    });
                    let product = self.outer();
                    let left = self.square(probabilities);
                    // SAFETY: the task's rows of its own head lie within `out`, and only it writes them.
                    unsafe {
                        let out = out.at(self.offset(task));
                        product.run_raw(out, left, self.part(value, task));
                    }
                },
            );
        };
        // SAFETY: the tasks' rows of their heads are together all elements.
        let ([out], ()) = unsafe { through_pointers(query.len(), write) };
        (out, ())
    }

    fn backward(
        &self,
        simd: impl Simd,
        [query, key, value]: [&[f32]; 3],
        (): &(),
        gradient: &[f32],
    ) -> [Vec<f32>; 3] {
        let tasks = 0..self.batch * self.heads;
        let write = |[to_query, to_key, to_value]: [Shared; 3]| {
            tasks.into_par_iter().for_each_init(
                || self.scratch(),
                |scratch, task| {
                    let Scratch {
                        probabilities,
                        gradient: d_scores,
                        dropped,
                    } = scratch;
                    let offset = self.offset(task);
                    let d_out = self.part(gradient, task);
                    simd.vectorize(|| {
                        self.probabilities(
                            task,
                            query,
                            key,
                            probabilities,
                            |start, row, inverse| {
                                let dropped = &mut dropped[start..][..row.len()];
                                for (n, (weight, dropped)) in
                                    row.iter_mut().zip(dropped).enumerate()
                                {
                                    *dropped = *weight * (inverse * self.kept(task, start + n));
                                    *weight *= inverse;
                                }
                            },
                        );
                    });
                    let transposed = self.square(dropped).transposed();
                    // SAFETY: the task's rows of its own head lie within the buffer; only it writes them.
                    unsafe {
                        self.outer().run_raw(to_value.at(offset), transposed, d_out);
                    }
                    self.inner(1.0)
                        .run(d_scores, d_out, self.part(value, task).transposed());
                    simd.vectorize(|| self.softmax_gradient(d_scores, probabilities, dropped));
                    let d_scores = self.square(d_scores);
                    let [query, key] = [query, key].map(|values| self.part(values, task));
                    // SAFETY: as above.
                    unsafe {
                        self.outer().run_raw(to_query.at(offset), d_scores, key);
                        self.outer()
                            .run_raw(to_key.at(offset), d_scores.transposed(), query);
                    }
                },
            );
        };
        // SAFETY: the tasks' rows of their heads are together all elements.
        let (gradients, ()) = unsafe { through_pointers(query.len(), write) };
        gradients
    }
}
