//! Sums of gradients on the CPU, in place.

use burn::tensor::{Int, Tensor};
use burn_flex::{Flex, FlexTensor};
use rayon::prelude::*;

use super::{ON_FLEX, slice};
use crate::wide;

/// Elements of one parallel piece.
const CHUNK: usize = 1 << 15;
/// Entries of a table that one task sums into.
const ENTRIES: usize = 1 << 9;

fn primitive<const D: usize>(x: Tensor<D>) -> FlexTensor {
    let tensor = x.without_autodiff().try_into_primitive::<Flex>();
    tensor.expect(ON_FLEX).to_contiguous()
}

pub(crate) fn add_into<const D: usize>(sum: Tensor<D>, part: Tensor<D>) -> Tensor<D> {
    let mut sum = primitive(sum);
    let part = primitive(part);
    let from = slice(&part);
    sum.storage_mut::<f32>()
        .par_chunks_mut(CHUNK)
        .zip(from.par_chunks(CHUNK))
        .for_each(|(sum, part)| wide(|| add(sum, part)));
    Tensor::from_primitive::<Flex>(sum)
}

pub(crate) fn add_rows_into(
    table: Tensor<2>,
    ids: Tensor<2, Int>,
    rows: Tensor<3>,
    constant: usize,
) -> Tensor<2> {
    let [_, _, width] = rows.dims();
    let ids: Vec<usize> = ids.to_data().iter::<i64>().map(|id| id as usize).collect();
    // Tokens by the task that owns their entry, in the order of the batch: sums do not depend on chance.
    let mut order: Vec<usize> = (0..ids.len()).filter(|n| ids[*n] != constant).collect();
    order.sort_by_key(|n| ids[*n] / ENTRIES);
    let mut table = primitive(table);
    let rows = primitive(rows);
    let rows = slice(&rows);
    table
        .storage_mut::<f32>()
        .par_chunks_mut(ENTRIES * width)
        .enumerate()
        .for_each(|(task, entries)| {
            let from = order.partition_point(|n| ids[*n] / ENTRIES < task);
            let to = order.partition_point(|n| ids[*n] / ENTRIES <= task);
            wide(|| {
                for token in &order[from..to] {
                    let entry = (ids[*token] - task * ENTRIES) * width;
                    let row = &rows[token * width..(token + 1) * width];
                    add(&mut entries[entry..entry + width], row);
                }
            });
        });
    Tensor::from_primitive::<Flex>(table)
}

#[inline(always)]
fn add(sum: &mut [f32], part: &[f32]) {
    for (sum, value) in sum.iter_mut().zip(part) {
        *sum += value;
    }
}
