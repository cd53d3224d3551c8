//! Tensors as kernels read and write them.

use burn_backend::{DType, Shape};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

/// The tensor without gaps, its last axis first in memory.
pub(super) fn contiguous(tensor: CubeTensor) -> CubeTensor {
    into_contiguous(tensor)
}

/// Memory for a result, where `like` is.
pub(super) fn empty(like: &CubeTensor, shape: Shape, dtype: DType) -> CubeTensor {
    empty_device_contiguous_dtype(like.client.clone(), like.device.clone(), shape, dtype)
}

/// The tensor in memory that no one else reads, without gaps: a copy where that is not so. (Burn's own copy may leave
/// gaps between rows.)
pub(super) fn owned(tensor: CubeTensor) -> CubeTensor {
    let tensor = contiguous(tensor);
    if tensor.can_mut() {
        tensor
    } else {
        contiguous(tensor.copy())
    }
}

/// Tensors without gaps, as an argument of a kernel.
pub(super) fn buffers<T: CubePrimitive>(tensors: &[CubeTensor]) -> SequenceArg<Box<[T]>> {
    let tensors = tensors.iter().cloned();
    tensors.map(CubeTensor::into_buffer_arg).collect()
}
