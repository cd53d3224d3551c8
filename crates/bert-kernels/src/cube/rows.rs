//! Sums of rows: of a matrix, and of those of one token.

use burn_backend::cubecl::dtype_to_storage_type;
use burn_cubecl::tensor::CubeTensor;
use cubecl::ir::ElemType;
use cubecl::prelude::*;

use super::memory::{contiguous, empty};
use super::units::{UNITS, cubes};

/// Columns that a cube sums, side by side.
const COLUMNS: usize = 32;
/// Rows that it reads at a time.
const LINES: usize = UNITS / COLUMNS;

/// A cube sums some columns; the first half of the columns goes to one vector, the others to another.
#[cube(launch)]
fn sum_rows_kernel(parts: &[f32], left: &mut [f32], right: &mut [f32], rows: usize, half: usize) {
    let unit = UNIT_POS as usize;
    let line = unit / COLUMNS;
    let place = unit % COLUMNS;
    let column = CUBE_POS * COLUMNS + place;
    let columns = 2 * half;
    let mut sum = 0.0f32;
    if column < columns {
        let mut row = line;
        while row < rows {
            sum += parts[row * columns + column];
            row += LINES;
        }
    }
    let mut shared = Shared::<[f32]>::new_slice(UNITS);
    shared[unit] = sum;
    sync_cube();
    if line == 0 && column < columns {
        #[unroll]
        for other in 1..LINES {
            sum += shared[other * COLUMNS + place];
        }
        if column < half {
            left[column] = sum;
        } else {
            right[column - half] = sum;
        }
    }
}

/// The sums of a matrix' columns, `[rows, 2 * half]`, as two vectors.
pub(super) fn sum_rows(parts: CubeTensor, half: usize) -> [CubeTensor; 2] {
    let rows = parts.meta.num_elements() / (2 * half).max(1);
    let [left, right] = [(), ()].map(|()| empty(&parts, [half].into(), parts.dtype));
    let client = parts.client.clone();
    sum_rows_kernel::launch(
        &client,
        cubes((2 * half).div_ceil(COLUMNS)),
        CubeDim::new_1d(UNITS as u32),
        parts.into_buffer_arg(),
        left.clone().into_buffer_arg(),
        right.clone().into_buffer_arg(),
        rows,
        half,
    );
    [left, right]
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
    // Whose memory no one else reads is written to.
    let table = contiguous(table);
    let table = if table.can_mut() { table } else { table.copy() };
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
