//! Matrix products on the CPU: of 32-bit numbers by the crate `gemm`, of bf16 by [`bf16`].

use super::{bf16, buffer};
use crate::pass::Precision;

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

/// `out = scale a b`, or `out += scale a b`, where `out` is row-major `[m, n]` with rows `out_row` elements apart.
#[derive(Clone, Copy)]
pub(super) struct Product {
    pub(super) m: usize,
    pub(super) n: usize,
    pub(super) k: usize,
    pub(super) out_row: usize,
    pub(super) scale: f32,
    pub(super) add: bool,
    pub(super) parallel: bool,
    pub(super) precision: Precision,
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
        // SAFETY: the operands' bounds were asserted; those of `out` are the caller's promise.
        unsafe {
            match self.precision {
                Precision::Fp32 | Precision::Tf32 => self.of_fp32(out, a, b),
                Precision::Bf16 => bf16::product(self, out, a, b),
            }
        }
    }

    /// # Safety
    /// As for [`Self::run_raw`], and both operands must be whole.
    unsafe fn of_fp32(self, out: *mut f32, a: Matrix<'_>, b: Matrix<'_>) {
        let parallelism = if self.parallel {
            gemm::Parallelism::Rayon(0)
        } else {
            gemm::Parallelism::None
        };
        // SAFETY: the caller's promise.
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
