//! The innermost loops: tiles of the output whose sums are in registers.

use std::arch::x86_64::{
    __m512bh, __m512i, _mm512_dpbf16_ps, _mm512_fmadd_ps, _mm512_load_si512, _mm512_mask_storeu_ps,
    _mm512_maskz_loadu_ps, _mm512_mul_ps, _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_ps,
};
use std::mem::transmute;

use super::blocks::{PAIRS, PANEL, Packed, ROWS};
use super::pack::{COLUMN, LANES, ROW, first};

/// Rows of a task, packed.
#[derive(Clone, Copy)]
pub(super) enum Left<'a> {
    /// By [`super::pack::pack_rows`].
    Rows(&'a Packed),
    /// By [`super::pack::pack_columns`].
    Columns(&'a Packed),
}

impl Left<'_> {
    /// Vectors that rows take, packed either way.
    pub(super) fn vectors(rows: usize) -> usize {
        (rows * ROW).max(PAIRS * COLUMN)
    }
}

/// Rows of a task, multiplied by panels.
#[derive(Clone, Copy)]
pub(super) struct Tiles {
    pub(super) rows: usize,
    pub(super) pairs: usize,
    pub(super) out_row: usize,
    pub(super) scale: f32,
    pub(super) add: bool,
}

impl Tiles {
    /// Writes the rows' elements of a panel's columns.
    ///
    /// # Safety
    /// `left` and `panel` must have been packed with `rows` rows and `pairs` pairs. `out` must be valid for reads and
    /// writes of the elements.
    #[target_feature(enable = "avx512f,avx512bf16")]
    pub(super) unsafe fn write(
        self,
        left: Left<'_>,
        panel: &Packed,
        out: *mut f32,
        columns: usize,
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            match left {
                Left::Rows(left) => {
                    self.strided::<{ ROW * LANES }, 1>(left, panel, out, columns);
                }
                Left::Columns(left) => self.strided::<1, ROWS>(left, panel, out, columns),
            }
        }
    }

    /// Rows of the left operand are `ROW` pairs apart, and pairs of a row are `PAIR`.
    ///
    /// # Safety
    /// As for [`Self::write`].
    #[target_feature(enable = "avx512f,avx512bf16")]
    unsafe fn strided<const ROW: usize, const PAIR: usize>(
        self,
        left: &Packed,
        panel: &Packed,
        out: *mut f32,
        columns: usize,
    ) {
        let mut row = 0;
        while row < self.rows {
            // SAFETY: the row is one of `rows`, and so are those that its tile has.
            unsafe {
                let left = left.as_ptr().cast::<u32>().add(row * ROW);
                let right = panel.as_ptr().cast::<u32>();
                let out = out.add(row * self.out_row);
                let tile = Tile {
                    left,
                    right,
                    out,
                    columns,
                    of: self,
                };
                row += match self.rows - row {
                    12.. => tile.write::<12, ROW, PAIR>(),
                    8.. => tile.write::<8, ROW, PAIR>(),
                    4.. => tile.write::<4, ROW, PAIR>(),
                    2.. => tile.write::<2, ROW, PAIR>(),
                    _ => tile.write::<1, ROW, PAIR>(),
                };
            }
        }
    }
}

struct Tile {
    left: *const u32,
    right: *const u32,
    out: *mut f32,
    columns: usize,
    of: Tiles,
}

impl Tile {
    /// Writes `HEIGHT` rows, and returns their number.
    ///
    /// # Safety
    /// As for [`Tiles::write`].
    #[target_feature(enable = "avx512f,avx512bf16")]
    unsafe fn write<const HEIGHT: usize, const ROW: usize, const PAIR: usize>(&self) -> usize {
        // SAFETY: the caller's promise.
        unsafe {
            if self.columns > LANES {
                self.sum::<HEIGHT, 2, ROW, PAIR>();
            } else {
                self.sum::<HEIGHT, 1, ROW, PAIR>();
            }
        }
        HEIGHT
    }

    /// Twelve rows and two vectors of columns are 24 sums, which with the vectors fit into 32 registers and are more than
    /// an instruction's cycles of latency.
    ///
    /// # Safety
    /// As for [`Tiles::write`].
    #[inline]
    #[target_feature(enable = "avx512f,avx512bf16")]
    unsafe fn sum<const HEIGHT: usize, const WIDTH: usize, const ROW: usize, const PAIR: usize>(
        &self,
    ) {
        let mut sums = [[_mm512_setzero_ps(); WIDTH]; HEIGHT];
        let (mut left, mut right) = (self.left, self.right);
        for _ in 0..self.of.pairs {
            // SAFETY: the operands have `pairs` pairs, and the left one `HEIGHT` rows.
            unsafe {
                let mut columns = [bf16(_mm512_set1_epi32(0)); WIDTH];
                for (n, column) in columns.iter_mut().enumerate() {
                    *column = bf16(_mm512_load_si512(right.add(n * LANES).cast()));
                }
                for (n, sums) in sums.iter_mut().enumerate() {
                    let row = bf16(_mm512_set1_epi32(*left.add(n * ROW).cast()));
                    for (sum, column) in sums.iter_mut().zip(columns) {
                        *sum = _mm512_dpbf16_ps(*sum, row, column);
                    }
                }
                (left, right) = (left.add(PAIR), right.add(PANEL));
            }
        }
        let scale = _mm512_set1_ps(self.of.scale);
        for (n, sums) in sums.iter().enumerate() {
            for (vector, sum) in sums.iter().enumerate() {
                let mask = first(self.columns - vector * LANES);
                // SAFETY: the mask leaves out what is beyond the columns.
                unsafe {
                    let out = self.out.add(n * self.of.out_row + vector * LANES);
                    let value = if self.of.add {
                        _mm512_fmadd_ps(*sum, scale, _mm512_maskz_loadu_ps(mask, out))
                    } else {
                        _mm512_mul_ps(*sum, scale)
                    };
                    _mm512_mask_storeu_ps(out, mask, value);
                }
            }
        }
    }
}

#[target_feature(enable = "avx512f")]
fn bf16(pairs: __m512i) -> __m512bh {
    // SAFETY: both types are 512 bits.
    unsafe { transmute(pairs) }
}
