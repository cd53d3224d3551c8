//! A linear layer on the CPU: the bias is what the product is added to.

use std::mem::MaybeUninit;

use burn::tensor::Tensor;
use rayon::prelude::*;

use super::{Kernel, apply, buffer, input};

/// Rows of one parallel piece of the bias's gradient.
const ROWS: usize = 64;

pub(crate) fn linear(x: Tensor<3>, weight: Tensor<2>, bias: Tensor<1>) -> Tensor<3> {
    let [batch, seq, inputs] = x.dims();
    let [_, outputs] = weight.dims();
    let tracked = x.is_autodiff() || weight.is_autodiff();
    let kernel = Linear {
        rows: batch * seq,
        inputs,
        outputs,
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
}

/// A row-major matrix or its transpose.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    pub(super) values: &'a [f32],
    /// Elements from a row to the next.
    pub(super) row: usize,
    /// Elements from a column to the next.
    pub(super) column: usize,
}

impl<'a> Matrix<'a> {
    pub(super) fn new(values: &'a [f32], columns: usize) -> Self {
        Self {
            values,
            row: columns,
            column: 1,
        }
    }

    pub(super) fn transposed(self) -> Self {
        Self {
            row: self.column,
            column: self.row,
            ..self
        }
    }
}

/// `out = a b`, or `out += a b`, where `out` is row-major `[m, n]` with rows `out_row` elements apart.
#[derive(Clone, Copy)]
pub(super) struct Product {
    pub(super) m: usize,
    pub(super) n: usize,
    pub(super) k: usize,
    pub(super) out_row: usize,
    pub(super) scale: f32,
    pub(super) add: bool,
    pub(super) parallel: bool,
}

impl Product {
    /// The product as a new matrix, `[m, n]`; `out_row` and `add` have no meaning here.
    pub(super) fn matrix(self, a: Matrix<'_>, b: Matrix<'_>) -> Vec<f32> {
        let product = Self {
            out_row: self.n,
            add: false,
            ..self
        };
        // SAFETY: a product that is not added to anything writes every element.
        let ([matrix], ()) = unsafe {
            buffer::through_pointers(self.m * self.n, |[out]| product.run_raw(out.0, a, b))
        };
        matrix
    }

    pub(super) fn run(self, out: &mut [f32], a: Matrix<'_>, b: Matrix<'_>) {
        assert!(
            out.len() >= (self.m - 1) * self.out_row + self.n,
            "the output holds the product"
        );
        // SAFETY: `out` is a live exclusive slice of the asserted length.
        unsafe { self.run_raw(out.as_mut_ptr(), a, b) }
    }

    /// # Safety
    /// `out` must be valid for writes of every element of the product, which no other thread touches.
    pub(super) unsafe fn run_raw(self, out: *mut f32, a: Matrix<'_>, b: Matrix<'_>) {
        let last = |x: Matrix<'_>, rows: usize, columns: usize| {
            (rows - 1) * x.row + (columns - 1) * x.column
        };
        assert!(
            a.values.len() > last(a, self.m, self.k),
            "the left operand is whole"
        );
        assert!(
            b.values.len() > last(b, self.k, self.n),
            "the right operand is whole"
        );
        let parallelism = if self.parallel {
            gemm::Parallelism::Rayon(0)
        } else {
            gemm::Parallelism::None
        };
        // SAFETY: the operands' bounds were asserted; those of `out` are the caller's promise.
        unsafe {
            gemm::gemm(
                self.m,
                self.n,
                self.k,
                out,
                1,
                self.out_row as isize,
                self.add,
                a.values.as_ptr(),
                a.column as isize,
                a.row as isize,
                b.values.as_ptr(),
                b.column as isize,
                b.row as isize,
                1.0,
                self.scale,
                false,
                false,
                false,
                parallelism,
            );
        }
    }
}

impl Kernel<3> for Linear {
    type Saved = ();
    const KEEPS: [bool; 3] = [true, true, false];

    fn forward(&self, [x, weight, bias]: [&[f32]; 3], _: bool) -> (Vec<f32>, ()) {
        let biases = |_: usize, rows: &mut [MaybeUninit<f32>]| {
            for row in rows.chunks_exact_mut(self.outputs) {
                buffer::fill(row, |n| bias[n]);
            }
        };
        let (len, piece) = (self.rows * self.outputs, self.outputs * ROWS);
        // SAFETY: a piece is whole rows, all of which are filled.
        let mut out = unsafe { buffer::written(len, piece, biases) };
        let product = Product {
            m: self.rows,
            n: self.outputs,
            k: self.inputs,
            out_row: self.outputs,
            scale: 1.0,
            add: true,
            parallel: true,
        };
        product.run(
            &mut out,
            Matrix::new(x, self.inputs),
            Matrix::new(weight, self.outputs),
        );
        (out, ())
    }

    fn backward(&self, [x, weight, _]: [&[f32]; 3], (): &(), gradient: &[f32]) -> [Vec<f32>; 3] {
        let Self {
            rows,
            inputs,
            outputs,
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
        };
        let dx = product(rows, inputs, outputs).matrix(d_out, weight.transposed());
        let d_weight = product(inputs, outputs, rows).matrix(x.transposed(), d_out);
        [dx, d_weight, column_sums(gradient, outputs)]
    }
}

/// Sums a row-major matrix over its rows, in a fixed order.
pub(super) fn column_sums(values: &[f32], columns: usize) -> Vec<f32> {
    let partial: Vec<Vec<f32>> = values
        .par_chunks(columns * ROWS)
        .map(|rows| {
            let mut sums = vec![0.0; columns];
            for row in rows.chunks_exact(columns) {
                add(&mut sums, row);
            }
            sums
        })
        .collect();
    let mut sums = vec![0.0; columns];
    for part in &partial {
        add(&mut sums, part);
    }
    sums
}

fn add(sums: &mut [f32], row: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(row) {
        *sum += value;
    }
}
