//! Between the tokens of a text, whose heads lie side by side, and heads, whose tokens do.

use burn_backend::cubecl::dtype_to_storage_type;
use burn_cubecl::tensor::CubeTensor;
use cubecl::ir::ElemType;
use cubecl::prelude::*;

use burn::tensor::DType;

use super::exactly;
use super::memory::{buffers, contiguous, empty};
use super::rows::{COLUMNS, SHARE, sum_of_lines};
use super::units::{UNITS, cubes};

/// How a row is divided: into matrices side by side, each into heads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Division {
    matrices: usize,
    heads: usize,
    head: usize,
}

impl Division {
    fn hidden(self) -> usize {
        self.heads * self.head
    }
}

/// `[batch, seq, matrices · hidden]` → `[batch, heads, seq, head]` of each matrix, plus its bias where there are biases.
#[cube(launch)]
fn split_kernel<X: Float>(
    x: &[X],
    biases: Sequence<Box<[f32]>>,
    mut outputs: Sequence<Box<[X]>>,
    count: usize,
    seq: usize,
    #[comptime] division: Division,
    #[comptime] biased: bool,
    #[define(X)] _operand: ElemType,
) {
    let at = ABSOLUTE_POS;
    if at >= count {
        terminate!();
    }
    let head = comptime!(division.head);
    let heads = comptime!(division.heads);
    let hidden = comptime!(division.hidden());
    let row = at / head;
    let token = row % seq;
    let of_head = row / seq;
    let column = (of_head % heads) * head + at % head;
    let text = of_head / heads;
    let matrices = comptime!(division.matrices);
    let from = (text * seq + token) * comptime!(matrices * hidden) + column;
    #[unroll]
    for n in 0..matrices {
        let mut value = x[from + n * hidden];
        if comptime!(biased) {
            let bias = &biases[n];
            value = X::cast_from(f32::cast_from(value) + bias[column]);
        }
        let output = &mut outputs[n];
        output[at] = value;
    }
}

/// `[batch, heads, seq, head]` of each matrix → `[batch, seq, matrices · hidden]`, and where there is a place for them
/// the sums of the columns over some rows: a cube takes [`UNITS`] columns of [`SHARE`] rows.
#[cube(launch)]
fn join_kernel<X: Float>(
    matrices: Sequence<Box<[X]>>,
    output: &mut [X],
    mut sums: Sequence<Box<[f32]>>,
    rows: usize,
    seq: usize,
    #[comptime] division: Division,
    #[comptime] summed: bool,
    #[define(X)] _operand: ElemType,
) {
    let head = comptime!(division.head);
    let heads = comptime!(division.heads);
    let hidden = comptime!(division.hidden());
    let count = comptime!(division.matrices);
    let wide = comptime!(hidden.div_ceil(UNITS));
    let share = CUBE_POS / wide;
    let first = share * SHARE;
    let column = (CUBE_POS % wide) * UNITS + UNIT_POS as usize;
    if first >= rows || column >= hidden {
        terminate!();
    }
    let of_head = column / head;
    let place = column % head;
    let last = min(first + SHARE, rows);
    #[unroll]
    for n in 0..count {
        let matrix = &matrices[n];
        let mut sum = 0.0f32;
        for row in first..last {
            let text = row / seq;
            let token = row % seq;
            let value = matrix[((text * heads + of_head) * seq + token) * head + place];
            output[row * comptime!(count * hidden) + n * hidden + column] = value;
            sum += f32::cast_from(value);
        }
        if comptime!(summed) {
            let sums = &mut sums[0];
            sums[share * comptime!(count * hidden) + n * hidden + column] = sum;
        }
    }
}

/// The heads of as many matrices as have their columns side by side; each has a bias, or none has.
pub(super) fn split<const N: usize>(
    x: CubeTensor,
    biases: &[CubeTensor],
    heads: usize,
) -> [CubeTensor; N] {
    let x = contiguous(x);
    let [batch, seq, columns] = [0, 1, 2].map(|axis| x.meta.shape()[axis]);
    let head = columns / N / heads;
    let outputs = [(); N].map(|()| empty(&x, [batch, heads, seq, head].into(), x.dtype));
    let (client, operand) = (x.client.clone(), dtype_to_storage_type(x.dtype));
    let count = x.meta.num_elements() / N;
    let biases: Vec<CubeTensor> = biases.iter().cloned().map(contiguous).collect();
    split_kernel::launch(
        &client,
        cubes(count.div_ceil(UNITS)),
        CubeDim::new_1d(UNITS as u32),
        x.into_buffer_arg(),
        buffers(&biases),
        buffers(&outputs),
        count,
        seq,
        Division {
            matrices: N,
            heads,
            head,
        },
        !biases.is_empty(),
        operand,
    );
    outputs
}

/// The other way; `sums` receives a row for each [`SHARE`] rows.
pub(super) fn join<const N: usize>(
    matrices: [CubeTensor; N],
    sums: Option<&CubeTensor>,
) -> CubeTensor {
    let matrices = matrices.map(contiguous);
    let [batch, heads, seq, head] = [0, 1, 2, 3].map(|axis| matrices[0].meta.shape()[axis]);
    let (rows, hidden) = (batch * seq, heads * head);
    let operand = matrices[0].dtype;
    let output = empty(&matrices[0], [batch, seq, N * hidden].into(), operand);
    let client = output.client.clone();
    let sums: Vec<CubeTensor> = sums.into_iter().cloned().collect();
    join_kernel::launch(
        &client,
        cubes(rows.div_ceil(SHARE) * hidden.div_ceil(UNITS)),
        CubeDim::new_1d(UNITS as u32),
        buffers(&matrices),
        output.clone().into_buffer_arg(),
        buffers(&sums),
        rows,
        seq,
        Division {
            matrices: N,
            heads,
            head,
        },
        !sums.is_empty(),
        dtype_to_storage_type(operand),
    );
    output
}

/// Memory for the sums of [`join`], of `columns` columns over the rows of all texts.
pub(super) fn sums_of_columns(like: &CubeTensor, rows: usize, columns: usize) -> CubeTensor {
    empty(like, [rows.div_ceil(SHARE), columns].into(), DType::F32)
}

/// Takes matrices apart, whose columns lie side by side, by the first `copying` cubes; the others sum the columns of
/// `parts`, which are those of as many vectors as there are widths.
#[cube(launch)]
#[allow(clippy::too_many_arguments)]
fn unstack_kernel(
    stacked: &[f32],
    parts: Sequence<Box<[f32]>>,
    mut matrices: Sequence<Box<[f32]>>,
    mut vectors: Sequence<Box<[f32]>>,
    rows: Sequence<usize>,
    copying: usize,
    count: usize,
    #[comptime] columns: usize,
    #[comptime] number: usize,
    #[comptime] widths: Vec<Vec<usize>>,
) {
    let unit = UNIT_POS as usize;
    let cube = CUBE_POS;
    if cube < copying {
        let at = cube * UNITS + unit;
        if at < count {
            let from = at / columns * comptime!(number * columns) + at % columns;
            #[unroll]
            for n in 0..number {
                let matrix = &mut matrices[n];
                matrix[at] = stacked[from + n * columns];
            }
        }
    } else {
        let summed = comptime!(widths.len());
        #[unroll]
        for n in 0..summed {
            let all = comptime!(width_of(&widths[n]));
            let first = copying + comptime!(cubes_of(&widths[..n]));
            if cube >= first && cube < first + comptime!(all.div_ceil(COLUMNS)) {
                let column = (cube - first) * COLUMNS + unit % COLUMNS;
                let sum = sum_of_lines(&parts[n], column, 0usize, rows[n], all);
                if unit < COLUMNS && column < all {
                    let count = comptime!(widths[n].len());
                    #[unroll]
                    for own in 0..count {
                        let begin = comptime!(width_of(&widths[n][..own]));
                        let end = comptime!(width_of(&widths[n][..own + 1]));
                        if column >= begin && column < end {
                            let before = comptime!(widths[..n].iter().map(Vec::len).sum::<usize>());
                            let vector = &mut vectors[comptime!(before + own)];
                            vector[column - begin] = sum;
                        }
                    }
                }
            }
        }
    }
}

fn width_of(widths: &[usize]) -> usize {
    widths.iter().sum()
}

/// Cubes that sum the columns of matrices.
fn cubes_of(matrices: &[Vec<usize>]) -> usize {
    let cubes = matrices
        .iter()
        .map(|widths| width_of(widths).div_ceil(COLUMNS));
    cubes.sum()
}

/// Sums over shares of rows, in as many rows, and the widths of the vectors whose columns lie side by side in them.
pub(super) struct Parts {
    pub(super) sums: CubeTensor,
    pub(super) widths: Vec<usize>,
}

/// `N` matrices, whose columns lie side by side, apart, and the vectors of `parts`, one after another.
pub(super) fn unstack<const N: usize, const V: usize>(
    stacked: CubeTensor,
    parts: Vec<Parts>,
) -> ([CubeTensor; N], [CubeTensor; V]) {
    let stacked = contiguous(stacked);
    let [rows, all] = [0, 1].map(|axis| stacked.meta.shape()[axis]);
    let columns = all / N;
    let matrices = [(); N].map(|()| empty(&stacked, [rows, columns].into(), stacked.dtype));
    let (sums, widths): (Vec<_>, Vec<_>) = parts.into_iter().map(|it| (it.sums, it.widths)).unzip();
    let vectors = widths.iter().flatten();
    let vectors: Vec<CubeTensor> = vectors
        .map(|width| empty(&stacked, [*width].into(), DType::F32))
        .collect();
    let (client, count) = (stacked.client.clone(), rows * columns);
    let copying = count.div_ceil(UNITS);
    unstack_kernel::launch(
        &client,
        cubes(copying + cubes_of(&widths)),
        CubeDim::new_1d(UNITS as u32),
        stacked.into_buffer_arg(),
        buffers(&sums),
        buffers(&matrices),
        buffers(&vectors),
        sums.iter().map(|sums| sums.meta.shape()[0]).collect(),
        copying,
        count,
        columns,
        N,
        widths,
    );
    (matrices, exactly(vectors))
}
