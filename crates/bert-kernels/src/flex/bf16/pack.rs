//! Operands rounded to bf16, in pairs along `k`: the first number of a pair is the low half of 32 bits.
//!
//! Where `k` is odd, or there are fewer than [`LANES`] rows or columns, zeros take the place of what is missing.

use std::arch::x86_64::{
    __m512, __m512i, __mmask16, _mm512_cvtne2ps_pbh, _mm512_maskz_loadu_ps,
    _mm512_permutexvar_epi16, _mm512_set_epi64, _mm512_setzero_si512, _mm512_shuffle_i32x4,
    _mm512_unpackhi_epi32, _mm512_unpackhi_epi64, _mm512_unpacklo_epi32, _mm512_unpacklo_epi64,
};
use std::mem::transmute;
use std::ops::Range;

use super::blocks::{Block, PAIRS, PANEL, Packed, ROWS};
use crate::flex::product::Matrix;

/// 32-bit lanes of a vector.
pub(super) const LANES: usize = 16;
/// Vectors from a row to the next in [`pack_rows`]. One more than a block needs: a power of two would put all rows in the
/// same lines of a cache.
pub(super) const ROW: usize = PAIRS / LANES + 1;
/// Vectors from a pair to the next in [`pack_columns`].
pub(super) const COLUMN: usize = ROWS / LANES;

/// The first 16 numbers of a slice, and zeros where it has fewer.
#[target_feature(enable = "avx512f")]
fn load(from: &[f32]) -> __m512 {
    // SAFETY: the mask leaves out what is beyond the slice.
    unsafe { _mm512_maskz_loadu_ps(first(from.len()), from.as_ptr()) }
}

/// The first lanes of a vector; all of them where `count` is larger.
pub(super) fn first(count: usize) -> __mmask16 {
    if count < LANES { (1 << count) - 1 } else { !0 }
}

/// Two vectors as bf16, the first in the lower half.
#[target_feature(enable = "avx512f,avx512bf16")]
fn round(low: __m512, high: __m512) -> __m512i {
    // SAFETY: both types are 512 bits.
    unsafe { transmute(_mm512_cvtne2ps_pbh(high, low)) }
}

/// A left operand whose rows are contiguous: row by row, [`ROW`] vectors apart.
#[target_feature(enable = "avx512f,avx512bf16")]
pub(super) fn pack_rows(a: Matrix<'_>, rows: Range<usize>, block: Block, to: &mut Packed) {
    for (row, to) in rows.zip(to.chunks_exact_mut(ROW)) {
        let row = &a.values[row * a.row + block.start..][..block.len];
        for (numbers, to) in row.chunks(2 * LANES).zip(to) {
            to.write(pairs(numbers));
        }
    }
}

/// Up to 32 contiguous numbers.
#[target_feature(enable = "avx512f,avx512bf16")]
fn pairs(numbers: &[f32]) -> __m512i {
    let (low, high) = numbers.split_at(numbers.len().min(LANES));
    round(load(low), load(high))
}

/// A left operand whose columns are contiguous: the rows of a pair side by side, pair by pair.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(super) fn pack_columns(a: Matrix<'_>, rows: Range<usize>, block: Block, to: &mut Packed) {
    interleave(a.transposed(), rows, block, to, COLUMN);
}

/// Columns of a right operand: those of a pair side by side, pair by pair.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(super) fn pack_panel(b: Matrix<'_>, block: Block, columns: Range<usize>, to: &mut Packed) {
    const PAIR: usize = PANEL / LANES;
    if b.column == 1 {
        interleave(b, columns, block, to, PAIR);
    } else {
        transpose(b.transposed(), columns, block, to, PAIR);
    }
}

/// Columns of a matrix that has a contiguous row for each place along `k`.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn interleave(from: Matrix<'_>, columns: Range<usize>, block: Block, to: &mut Packed, pair: usize) {
    // 0, 16, 1, 17, …, 15, 31
    let order = {
        let four = |n: i64| n | (n + 16) << 16 | (n + 1) << 32 | (n + 17) << 48;
        _mm512_set_epi64(
            four(14),
            four(12),
            four(10),
            four(8),
            four(6),
            four(4),
            four(2),
            four(0),
        )
    };
    let row = |k: usize| &from.values[(block.start + k) * from.row..][columns.clone()];
    for (k, to) in (0..block.len).step_by(2).zip(to.chunks_exact_mut(pair)) {
        let low = row(k).chunks(LANES);
        if k + 1 < block.len {
            let high = row(k + 1).chunks(LANES);
            for ((low, high), to) in low.zip(high).zip(to) {
                let halves = round(load(low), load(high));
                to.write(_mm512_permutexvar_epi16(order, halves));
            }
        } else {
            for (low, to) in low.zip(to) {
                let halves = round(load(low), load(&[]));
                to.write(_mm512_permutexvar_epi16(order, halves));
            }
        }
    }
}

/// Rows of a matrix that are contiguous along `k`.
#[target_feature(enable = "avx512f,avx512bf16")]
fn transpose(from: Matrix<'_>, rows: Range<usize>, block: Block, to: &mut Packed, pair: usize) {
    for (vector, first) in rows.clone().step_by(LANES).enumerate() {
        for (start, to) in (0..block.len)
            .step_by(2 * LANES)
            .zip(to.chunks_mut(LANES * pair))
        {
            let len = (block.len - start).min(2 * LANES);
            let mut square = [_mm512_setzero_si512(); LANES];
            for (row, square) in (first..rows.end).zip(&mut square) {
                let numbers = &from.values[row * from.row + block.start + start..][..len];
                *square = pairs(numbers);
            }
            let to = to.iter_mut().skip(vector).step_by(pair);
            for (column, to) in transposed(square).into_iter().zip(to) {
                to.write(column);
            }
        }
    }
}

/// Row `n` of the result is lane `n` of each vector.
#[target_feature(enable = "avx512f")]
fn transposed(mut x: [__m512i; LANES]) -> [__m512i; LANES] {
    // Squares of 2 and then of 4 lanes, in each quarter of a vector.
    for pair in x.as_chunks_mut::<2>().0 {
        let [a, b] = *pair;
        *pair = [_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b)];
    }
    for four in x.as_chunks_mut::<4>().0 {
        let [a, b, c, d] = *four;
        *four = [
            _mm512_unpacklo_epi64(a, c),
            _mm512_unpackhi_epi64(a, c),
            _mm512_unpacklo_epi64(b, d),
            _mm512_unpackhi_epi64(b, d),
        ];
    }
    // Quarters change places: the even ones, then the odd ones.
    const EVEN: i32 = 0b10_00_10_00;
    const ODD: i32 = 0b11_01_11_01;
    let mut out = x;
    for n in 0..4 {
        let [a, b, c, d] = [x[n], x[4 + n], x[8 + n], x[12 + n]];
        let even = (
            _mm512_shuffle_i32x4::<EVEN>(a, b),
            _mm512_shuffle_i32x4::<EVEN>(c, d),
        );
        let odd = (
            _mm512_shuffle_i32x4::<ODD>(a, b),
            _mm512_shuffle_i32x4::<ODD>(c, d),
        );
        out[n] = _mm512_shuffle_i32x4::<EVEN>(even.0, even.1);
        out[4 + n] = _mm512_shuffle_i32x4::<EVEN>(odd.0, odd.1);
        out[8 + n] = _mm512_shuffle_i32x4::<ODD>(even.0, even.1);
        out[12 + n] = _mm512_shuffle_i32x4::<ODD>(odd.0, odd.1);
    }
    out
}
