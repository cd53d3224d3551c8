//! [`crate::add_rows_into`], and the sum of two gradients in two types.

use burn::tensor::{Int, Tensor};
use burn_backend::cubecl::dtype_to_storage_type;
use burn_cubecl::Cube;
use burn_cubecl::tensor::CubeTensor;
use cubecl::ir::ElemType;
use cubecl::prelude::*;

use super::memory::{contiguous, owned};
use super::rows::add_rows;
use super::units::{UNITS, cubes};
use super::{ON_GPU, plain, queue_fixed};

pub(crate) fn add_rows_into(
    table: Tensor<2>,
    ids: Tensor<2, Int>,
    rows: Tensor<3>,
    constant: usize,
) -> Tensor<2> {
    let ids = ids.try_into_primitive::<Cube>().expect(ON_GPU);
    let (table, rows) = (plain(table), plain(rows));
    let whole = (table.shape.clone(), table.dtype);
    let launch = move |[table, ids, rows]: [_; 3]| [add_rows(table, ids, rows, constant)];
    let [sum] = queue_fixed("add_rows_into", [table, ids, rows], [whole], launch);
    Tensor::from_primitive::<Cube>(sum)
}

#[cube(launch)]
fn add_operand_kernel<X: Float>(
    sum: &mut [f32],
    part: &[X],
    count: usize,
    #[define(X)] _operand: ElemType,
) {
    let at = ABSOLUTE_POS;
    if at >= count {
        terminate!();
    }
    sum[at] += f32::cast_from(part[at]);
}

/// `sum + part`, in the memory of `sum`; `part` is in the type of operands.
pub(super) fn add_operand(sum: CubeTensor, part: CubeTensor) -> CubeTensor {
    let (sum, part) = (owned(sum), contiguous(part));
    let (client, count) = (sum.client.clone(), sum.meta.num_elements());
    let operand = dtype_to_storage_type(part.dtype);
    add_operand_kernel::launch(
        &client,
        cubes(count.div_ceil(UNITS)),
        CubeDim::new_1d(UNITS as u32),
        sum.clone().into_buffer_arg(),
        part.into_buffer_arg(),
        count,
        operand,
    );
    sum
}
