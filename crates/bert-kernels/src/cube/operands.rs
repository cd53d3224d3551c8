//! Numbers in 32 bits as operands of products: in their type, and where one product takes several matrices, side by side.

use burn::tensor::DType;
use burn_backend::cubecl::dtype_to_storage_type;
use burn_cubecl::tensor::CubeTensor;
use cubecl::ir::ElemType;
use cubecl::prelude::*;

use super::memory::{buffers, contiguous, empty};
use super::units::{UNITS, cubes};

/// Where a matrix goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Place {
    /// Its columns.
    columns: usize,
    /// The output, the columns of that, and those before the matrix' own.
    output: usize,
    width: usize,
    before: usize,
}

/// A cube copies [`UNITS`] numbers of a matrix; those of a matrix begin at its number of `firsts`.
#[cube(launch)]
fn operands_kernel<X: Float>(
    matrices: Sequence<Box<[f32]>>,
    mut outputs: Sequence<Box<[X]>>,
    firsts: Sequence<usize>,
    counts: Sequence<usize>,
    #[comptime] places: Vec<Place>,
    #[define(X)] _operand: ElemType,
) {
    let cube = CUBE_POS;
    let number = comptime!(places.len());
    #[unroll]
    for n in 0..number {
        let first = firsts[n];
        if cube >= first {
            let at = (cube - first) * UNITS + UNIT_POS as usize;
            if at < counts[n] {
                let columns = comptime!(places[n].columns);
                let to = at / columns * comptime!(places[n].width) + at % columns;
                let matrix = &matrices[n];
                let output = &mut outputs[comptime!(places[n].output)];
                output[to + comptime!(places[n].before)] = X::cast_from(matrix[at]);
            }
        }
    }
}

/// Each group of matrices of one shape side by side, in the type of operands, by one launch. A matrix that is alone and of
/// that type is handed back.
pub(super) fn operands<const N: usize>(
    groups: [Vec<CubeTensor>; N],
    operand: DType,
) -> [CubeTensor; N] {
    let mut matrices = Vec::new();
    let mut outputs = Vec::new();
    let mut places = Vec::new();
    let made = groups.map(|mut group| {
        if group.len() == 1 && group[0].dtype == operand {
            return group.remove(0);
        }
        let mut shape = group[0].meta.shape().clone();
        let last = shape.num_dims() - 1;
        let (columns, width) = (shape[last], shape[last] * group.len());
        shape[last] = width;
        let output = empty(&group[0], shape, operand);
        places.extend((0..group.len()).map(|n| Place {
            columns,
            output: outputs.len(),
            width,
            before: n * columns,
        }));
        matrices.extend(group.into_iter().map(contiguous));
        outputs.push(output.clone());
        output
    });
    if matrices.is_empty() {
        return made;
    }
    let counts = matrices.iter().map(|matrix| matrix.meta.num_elements());
    let counts: Vec<usize> = counts.collect();
    let mut firsts = Vec::with_capacity(counts.len());
    let mut end = 0;
    for count in &counts {
        firsts.push(end);
        end += count.div_ceil(UNITS);
    }
    let client = outputs[0].client.clone();
    operands_kernel::launch(
        &client,
        cubes(end),
        CubeDim::new_1d(UNITS as u32),
        buffers(&matrices),
        buffers(&outputs),
        firsts.into_iter().collect(),
        counts.into_iter().collect(),
        places,
        dtype_to_storage_type(operand),
    );
    made
}
