//! How a product is cut to fit the caches, after Goto & van de Geijn 2008.
//!
//! The right operand is packed in *panels* of [`PANEL`] columns and [`PAIRS`] pairs along `k`, which a first-level cache
//! holds. A task has [`ROWS`] rows of the output: it packs its part of the left operand, which the second-level cache
//! holds, and multiplies it by one panel after the other.

use std::arch::x86_64::__m512i;
use std::mem::MaybeUninit;

use rayon::prelude::*;

use super::pack::{LANES, pack_columns, pack_panel, pack_rows};
use super::tile::{Left, Tiles};
use crate::flex::buffer::Shared;
use crate::flex::product::{Matrix, Product};

/// Columns of a panel of the right operand.
pub(super) const PANEL: usize = 32;
/// Pairs along `k` of a block.
pub(super) const PAIRS: usize = 128;
/// Rows of a task.
pub(super) const ROWS: usize = 48;
/// Blocks along `k` for which the right operand is packed at once.
const DEPTH: usize = 6;

/// Numbers along `k` of a block.
const BLOCK: usize = 2 * PAIRS;

/// A piece of an operand, packed.
pub(super) type Packed = [MaybeUninit<__m512i>];

fn vectors(count: usize) -> Box<Packed> {
    Box::new_uninit_slice(count)
}

/// A part of the operands along `k`.
#[derive(Clone, Copy)]
pub(super) struct Block {
    pub(super) start: usize,
    pub(super) len: usize,
}

/// # Safety
/// As for [`super::product`].
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(super) unsafe fn product(product: Product, out: *mut f32, a: Matrix<'_>, b: Matrix<'_>) {
    let Product { m, n, k, .. } = product;
    let panels = n.div_ceil(PANEL);
    let of_panel = PAIRS.min(k.div_ceil(2)) * PANEL / LANES;
    let of_block = panels * of_panel;
    let mut right = vectors(of_block * k.div_ceil(BLOCK).min(DEPTH));
    let blocks: Vec<Block> = (0..k)
        .step_by(BLOCK)
        .map(|start| Block {
            start,
            len: BLOCK.min(k - start),
        })
        .collect();
    for blocks in blocks.chunks(DEPTH) {
        let right = &mut right[..of_block * blocks.len()];
        let pack = |(place, to): (usize, &mut Packed)| {
            let block = blocks[place / panels];
            let column = place % panels * PANEL;
            pack_panel(b, block, column..n.min(column + PANEL), to);
        };
        if product.parallel {
            right.par_chunks_mut(of_panel).enumerate().for_each(pack);
        } else {
            right.chunks_mut(of_panel).enumerate().for_each(pack);
        }
        let part = Part {
            product,
            out: Shared(out),
            a,
            blocks,
            right,
            of_panel,
        };
        // SAFETY: each task has rows of its own. The rest is the caller's promise, and the part was packed.
        let write = |left: &mut Box<Packed>, task: usize| unsafe { part.write(task, left) };
        let tasks = 0..m.div_ceil(ROWS);
        let scratch = || vectors(Left::vectors(m.min(ROWS)));
        if product.parallel {
            tasks.into_par_iter().for_each_init(scratch, write);
        } else {
            let mut left = scratch();
            tasks.for_each(|task| write(&mut left, task));
        }
    }
}

/// A product over some blocks, for which the right operand is packed.
struct Part<'a> {
    product: Product,
    out: Shared,
    a: Matrix<'a>,
    blocks: &'a [Block],
    /// Block by block, and in each panel by panel.
    right: &'a Packed,
    /// Vectors of a panel.
    of_panel: usize,
}

impl Part<'_> {
    /// Writes the rows of a task, whose left operand it packs into `left`.
    ///
    /// # Safety
    /// As for [`super::product`], of the task's rows; `right` must be packed.
    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    unsafe fn write(&self, task: usize, left: &mut Packed) {
        let Product { m, n, out_row, .. } = self.product;
        let first = task * ROWS;
        let rows = first..m.min(first + ROWS);
        let of_block = n.div_ceil(PANEL) * self.of_panel;
        for (block, panels) in self.blocks.iter().zip(self.right.chunks(of_block)) {
            let left = if self.a.column == 1 {
                pack_rows(self.a, rows.clone(), *block, left);
                Left::Rows(left)
            } else {
                pack_columns(self.a, rows.clone(), *block, left);
                Left::Columns(left)
            };
            let tiles = Tiles {
                rows: rows.len(),
                pairs: block.len.div_ceil(2),
                out_row,
                scale: self.product.scale,
                add: self.product.add || block.start > 0,
            };
            for (column, panel) in (0..n).step_by(PANEL).zip(panels.chunks(self.of_panel)) {
                // SAFETY: rows and panel are packed with all pairs of the block, and the elements are the task's.
                unsafe {
                    let out = self.out.at(first * out_row + column);
                    tiles.write(left, panel, out, PANEL.min(n - column));
                }
            }
        }
    }
}
