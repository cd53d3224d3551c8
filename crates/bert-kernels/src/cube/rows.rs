//! Sums of rows: of a matrix, and of those of one token.

use burn_backend::DType;
use burn_backend::cubecl::dtype_to_storage_type;
use burn_cubecl::ops::reshape;
use burn_cubecl::tensor::CubeTensor;
use cubecl::ir::ElemType;
use cubecl::prelude::*;

use super::exactly;
use super::heads::Parts;
use super::memory::{buffers, contiguous, empty, owned};
use super::units::{UNITS, cubes};

/// Columns that a cube sums, side by side.
pub(super) const COLUMNS: usize = 32;
/// Rows that it reads at a time.
const LINES: usize = UNITS / COLUMNS;

/// Rows that a kernel sums before it writes the sum: its share of a matrix.
pub(super) const SHARE: usize = 32;

/// Rows that a cube sums, at most.
const CHUNK: usize = 256;

/// The sum of a column over the rows from `first` on: each line of units adds its share of the rows, and the first line
/// has the sum.
#[cube]
pub(super) fn sum_of_lines<X: Float>(
    matrix: &[X],
    column: usize,
    first: usize,
    last: usize,
    #[comptime] columns: usize,
) -> f32 {
    let unit = UNIT_POS as usize;
    let line = unit / COLUMNS;
    let mut sum = 0.0f32;
    if column < columns {
        let mut row = first + line;
        while row < last {
            sum += f32::cast_from(matrix[row * columns + column]);
            row += LINES;
        }
    }
    let mut shared = Shared::<[f32]>::new_slice(UNITS);
    shared[unit] = sum;
    sync_cube();
    if line == 0 {
        #[unroll]
        for other in 1..LINES {
            sum += shared[other * COLUMNS + unit];
        }
    }
    sum
}

/// A cube sums some columns over `chunk` rows. The columns are those of the outputs, one after another; an output has a row
/// for each chunk.
#[cube(launch)]
fn sum_kernel<X: Float>(
    matrix: &[X],
    mut outputs: Sequence<Box<[f32]>>,
    rows: usize,
    chunk: usize,
    #[comptime] widths: Vec<usize>,
    #[define(X)] _element: ElemType,
) {
    let columns = comptime!(widths.iter().sum::<usize>());
    let wide = comptime!(columns.div_ceil(COLUMNS));
    let part = CUBE_POS / wide;
    let first = part * chunk;
    if first >= rows {
        terminate!();
    }
    let unit = UNIT_POS as usize;
    let column = (CUBE_POS % wide) * COLUMNS + unit % COLUMNS;
    let last = min(first + chunk, rows);
    let sum = sum_of_lines(matrix, column, first, last, columns);
    if unit < COLUMNS && column < columns {
        let count = comptime!(widths.len());
        #[unroll]
        for n in 0..count {
            let begin = comptime!(widths[..n].iter().sum::<usize>());
            let width = comptime!(widths[n]);
            if column >= begin && column < begin + width {
                let output = &mut outputs[n];
                output[part * width + column - begin] = sum;
            }
        }
    }
}

/// Sums over chunks of rows of a matrix' columns, which are shared out among as many outputs as there are widths.
fn sum_chunks(matrix: &CubeTensor, chunk: usize, widths: &[usize]) -> Vec<CubeTensor> {
    let [rows, columns] = [0, 1].map(|axis| matrix.meta.shape()[axis]);
    let chunks = rows.div_ceil(chunk).max(1);
    let sums: Vec<CubeTensor> = widths
        .iter()
        .map(|width| empty(matrix, [chunks, *width].into(), DType::F32))
        .collect();
    let client = matrix.client.clone();
    sum_kernel::launch(
        &client,
        cubes(chunks * columns.div_ceil(COLUMNS)),
        CubeDim::new_1d(UNITS as u32),
        matrix.clone().into_buffer_arg(),
        buffers(&sums),
        rows,
        chunk,
        widths.to_vec(),
        dtype_to_storage_type(matrix.dtype),
    );
    sums
}

/// The sums of a matrix' columns, `[rows, columns]`, in 32 bits.
pub(super) fn sum_columns(matrix: CubeTensor) -> CubeTensor {
    let mut left = contiguous(matrix);
    let columns = left.meta.shape()[1];
    loop {
        let [sums] = exactly(sum_chunks(&left, CHUNK, &[columns]));
        if sums.meta.shape()[0] == 1 {
            return reshape(sums, [columns].into());
        }
        left = sums;
    }
}

/// The vectors whose sums over shares of rows kernels have made.
pub(super) fn sum_parts<const N: usize>(Parts { sums, widths }: Parts) -> [CubeTensor; N] {
    let summed = sum_chunks(&sums, sums.meta.shape()[0], &widths);
    let vectors = summed.into_iter().zip(widths);
    exactly(
        vectors
            .map(|(sum, width)| reshape(sum, [width].into()))
            .collect(),
    )
}

/// A cube takes a token. If no earlier token has its id, the cube adds the rows of all tokens of that id to the
/// table's row, in their order: the sum has the same bits every time.
#[cube(launch)]
fn add_rows_kernel<I: Int>(
    ids: &[I],
    rows: &[f32],
    table: &mut [f32],
    tokens: usize,
    constant: usize,
    #[comptime] width: usize,
    #[define(I)] _id: ElemType,
) {
    let token = CUBE_POS;
    if token >= tokens {
        terminate!();
    }
    let id = usize::cast_from(ids[token]);
    if id == constant {
        terminate!();
    }
    let unit = UNIT_POS as usize;
    let mut seen = Shared::<[u32]>::new_slice(UNITS);
    let mut earlier = 0u32;
    let mut other = unit;
    while other < token {
        if usize::cast_from(ids[other]) == id {
            earlier = 1u32;
        }
        other += UNITS;
    }
    seen[unit] = earlier;
    sync_cube();
    let mut any = 0u32;
    for n in 0..UNITS {
        any |= seen[n];
    }
    if any != 0u32 {
        terminate!();
    }
    let turns = comptime!(width.div_ceil(UNITS));
    let mut sums = Array::<f32>::new(turns);
    #[unroll]
    for turn in 0..turns {
        let column = turn * UNITS + unit;
        if column < width {
            sums[turn] = table[id * width + column];
        }
    }
    for n in token..tokens {
        if usize::cast_from(ids[n]) == id {
            #[unroll]
            for turn in 0..turns {
                let column = turn * UNITS + unit;
                if column < width {
                    sums[turn] += rows[n * width + column];
                }
            }
        }
    }
    #[unroll]
    for turn in 0..turns {
        let column = turn * UNITS + unit;
        if column < width {
            table[id * width + column] = sums[turn];
        }
    }
}

/// Adds rows to the rows of a table that ids name; rows of the id `constant` are left out.
pub(super) fn add_rows(
    table: CubeTensor,
    ids: CubeTensor,
    rows: CubeTensor,
    constant: usize,
) -> CubeTensor {
    let [ids, rows] = [ids, rows].map(contiguous);
    let table = owned(table);
    let width = table.meta.shape().last().copied().unwrap_or(1);
    let tokens = ids.meta.num_elements();
    let client = table.client.clone();
    let id = dtype_to_storage_type(ids.dtype);
    add_rows_kernel::launch(
        &client,
        cubes(tokens),
        CubeDim::new_1d(UNITS as u32),
        ids.into_buffer_arg(),
        rows.into_buffer_arg(),
        table.clone().into_buffer_arg(),
        tokens,
        constant,
        width,
        id,
    );
    table
}
