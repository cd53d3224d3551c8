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

/// # Safety
/// As for [`super::product`].
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(super) unsafe fn product(product: Product, out: *mut f32, a: Matrix<'_>, b: Matrix<'_>) {
    let Product { m, n, k, .. } = product;
    let panels = n.div_ceil(PANEL);
    let of_panel = PAIRS.min(k.div_ceil(2)) * PANEL / LANES;
    let mut right = vectors(panels * of_panel * k.div_ceil(BLOCK).min(DEPTH));
    let out = Shared(out);
    for start in (0..k).step_by(DEPTH * BLOCK) {
        let blocks: Vec<Block> = (start..k.min(start + DEPTH * BLOCK))
            .step_by(BLOCK)
            .map(|start| Block {
                start,
                len: BLOCK.min(k - start),
            })
            .collect();
        let pack = |(place, to): (usize, &mut Packed)| {
            let column = place % panels * PANEL;
            let block = blocks[place / panels];
            pack_panel(b, block, column..n.min(column + PANEL), to);
        };
        let right = &mut right[..panels * of_panel * blocks.len()];
        if product.parallel {
            right.par_chunks_mut(of_panel).enumerate().for_each(pack);
        } else {
            right.chunks_mut(of_panel).enumerate().for_each(pack);
        }
        let right = &*right;
        let rows = |left: &mut Box<Packed>, task: usize| {
            let row = task * ROWS;
            let rows = row..m.min(row + ROWS);
            for (block, panels) in blocks.iter().zip(right.chunks(panels * of_panel)) {
                let left = if a.column == 1 {
                    pack_rows(a, rows.clone(), *block, left);
                    Left::Rows(left)
                } else {
                    pack_columns(a, rows.clone(), *block, left);
                    Left::Columns(left)
                };
                let tiles = Tiles {
                    rows: rows.len(),
                    pairs: block.len.div_ceil(2),
                    out_row: product.out_row,
                    scale: product.scale,
                    add: product.add || block.start > 0,
                };
                for (column, panel) in (0..n).step_by(PANEL).zip(panels.chunks(of_panel)) {
                    // SAFETY: rows and panel were packed with all pairs of the block. The caller promises the output,
                    // of which this task has its rows.
                    unsafe {
                        let out = out.at(row * product.out_row + column);
                        tiles.write(left, panel, out, PANEL.min(n - column));
                    }
                }
            }
        };
        let tasks = 0..m.div_ceil(ROWS);
        let scratch = || vectors(Left::vectors(m.min(ROWS)));
        if product.parallel {
            tasks.into_par_iter().for_each_init(scratch, rows);
        } else {
            let mut left = scratch();
            tasks.for_each(|task| rows(&mut left, task));
        }
    }
}

/// A part of an operand along `k`.
#[derive(Clone, Copy)]
pub(super) struct Block {
    pub(super) start: usize,
    pub(super) len: usize,
}
