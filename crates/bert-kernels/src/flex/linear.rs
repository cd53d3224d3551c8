//! A linear layer on the CPU: the bias is what the product is added to.

use std::mem::MaybeUninit;

use burn::tensor::Tensor;
use pulp::Simd;
use rayon::prelude::*;

use super::product::{Matrix, Product};
use super::{Kernel, apply, buffer, input};
use crate::linear::LinearParameters;
use crate::pass::Precision;

/// Rows of one parallel piece of the bias's gradient.
const ROWS: usize = 64;

pub(crate) fn linear(x: Tensor<3>, layer: LinearParameters, precision: Precision) -> Tensor<3> {
    let LinearParameters { weight, bias } = layer;
    let [batch, seq, inputs] = x.dims();
    let [_, outputs] = weight.dims();
    let tracked = x.is_autodiff() || weight.is_autodiff();
    let kernel = Linear {
        rows: batch * seq,
        inputs,
        outputs,
        precision,
    };
    let operands = [
        input(x, tracked),
        input(weight, tracked),
        input(bias, tracked),
    ];
    apply(kernel, operands, [batch, seq, outputs])
}

#[derive(Debug, Clone)]
struct Linear {
    rows: usize,
    inputs: usize,
    outputs: usize,
    precision: Precision,
}

impl Kernel<3> for Linear {
    type Saved = ();
    const KEEPS: [bool; 3] = [true, true, false];

    fn forward(&self, simd: impl Simd, [x, weight, bias]: [&[f32]; 3], _: bool) -> (Vec<f32>, ()) {
        let biases = |_: usize, rows: &mut [MaybeUninit<f32>]| {
            for row in rows.chunks_exact_mut(self.outputs) {
                buffer::fill(row, |n| bias[n]);
            }
        };
        let (len, piece) = (self.rows * self.outputs, self.outputs * ROWS);
        // SAFETY: a piece is whole rows, all of which are filled.
        let mut out = unsafe { buffer::written(simd, len, piece, biases) };
        let product = Product {
            m: self.rows,
            n: self.outputs,
            k: self.inputs,
            out_row: self.outputs,
            scale: 1.0,
            add: true,
            parallel: true,
            precision: self.precision,
        };
        product.run(
            &mut out,
            Matrix::new(x, self.inputs),
            Matrix::new(weight, self.outputs),
        );
        (out, ())
    }

    fn backward(
        &self,
        simd: impl Simd,
        [x, weight, _]: [&[f32]; 3],
        (): &(),
        gradient: &[f32],
    ) -> [Vec<f32>; 3] {
        let Self {
            rows,
            inputs,
            outputs,
            precision,
        } = *self;
        let x = Matrix::new(x, inputs);
        let weight = Matrix::new(weight, outputs);
        let d_out = Matrix::new(gradient, outputs);
        let product = |m, n, k| Product {
            m,
            n,
            k,
            out_row: n,
            scale: 1.0,
            add: false,
            parallel: true,
            precision,
        };
        let dx = product(rows, inputs, outputs).matrix(d_out, weight.transposed());
        let d_weight = product(inputs, outputs, rows).matrix(x.transposed(), d_out);
        [dx, d_weight, column_sums(simd, gradient, outputs)]
    }
}

/// Sums a row-major matrix over its rows, in a fixed order.
pub(super) fn column_sums(simd: impl Simd, values: &[f32], columns: usize) -> Vec<f32> {
    let partial: Vec<Vec<f32>> = values
        .par_chunks(columns * ROWS)
        .map(|rows| {
            let mut sums = vec![0.0; columns];
            simd.vectorize(|| {
                for row in rows.chunks_exact(columns) {
                    add(&mut sums, row);
                }
            });
            sums
        })
        .collect();
    let mut sums = vec![0.0; columns];
    for part in &partial {
        add(&mut sums, part);
    }
    sums
}

#[inline(always)]
fn add(sums: &mut [f32], row: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(row) {
        *sum += value;
    }
}
