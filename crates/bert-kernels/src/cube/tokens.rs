//! [`crate::padded_rows`]: one launch.

use burn::tensor::{self, DType, Tensor};
use burn_backend::cubecl::dtype_to_storage_type;
use burn_cubecl::Cube;
use burn_cubecl::tensor::CubeTensor;
use cubecl::ir::ElemType;
use cubecl::prelude::*;

use super::memory::{contiguous, empty};
use super::units::{UNITS, cubes};
use super::{ON_GPU, queue_fixed};
use crate::rows::PaddedRows;

#[cube(launch)]
fn unpack_kernel<I: Int>(
    packed: &[I],
    ids: &mut [I],
    types: &mut [I],
    mask: &mut [f32],
    count: usize,
    width: usize,
    #[define(I)] _id: ElemType,
) {
    let at = ABSOLUTE_POS;
    if at >= count {
        terminate!();
    }
    ids[at] = packed[at];
    types[at] = packed[count + at];
    let length = usize::cast_from(packed[2 * count + at / width]);
    mask[at] = select(at % width < length, 1.0f32, 0.0f32);
}

/// Ids, segments and mask.
fn unpack(packed: CubeTensor, [rows, width]: [usize; 2]) -> [CubeTensor; 3] {
    let packed = contiguous(packed);
    let [ids, types, mask] = [packed.dtype, packed.dtype, DType::F32]
        .map(|dtype| empty(&packed, [rows, width].into(), dtype));
    let (client, id) = (packed.client.clone(), dtype_to_storage_type(packed.dtype));
    unpack_kernel::launch(
        &client,
        cubes((rows * width).div_ceil(UNITS)),
        CubeDim::new_1d(UNITS as u32),
        packed.into_buffer_arg(),
        ids.clone().into_buffer_arg(),
        types.clone().into_buffer_arg(),
        mask.clone().into_buffer_arg(),
        rows * width,
        width,
        id,
    );
    [ids, types, mask]
}

/// Whether a tensor is on a GPU.
pub(crate) fn runs(packed: &Tensor<1, tensor::Int>) -> bool {
    packed.clone().try_into_primitive::<Cube>().is_ok()
}

pub(crate) fn padded_rows(packed: Tensor<1, tensor::Int>, shape: [usize; 2]) -> PaddedRows {
    let packed = packed.try_into_primitive::<Cube>().expect(ON_GPU);
    let outputs = [packed.dtype, packed.dtype, DType::F32].map(|dtype| (shape.into(), dtype));
    let launch = move |[packed]: [_; 1]| unpack(packed, shape);
    let [ids, types, mask] = queue_fixed("padded_rows", [packed], outputs, launch);
    PaddedRows {
        ids: Tensor::from_primitive::<Cube>(ids),
        types: Tensor::from_primitive::<Cube>(types),
        mask: Tensor::from_primitive::<Cube>(mask),
    }
}
