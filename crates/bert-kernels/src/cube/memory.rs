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

/// The tensor in memory that no one else reads, whose handle has none beside it: allocations are rounded up, and a result of
/// `narrow` has the handle of what it is a part of.
#[cfg(feature = "cuda")]
pub(crate) fn exact(x: super::Plain) -> super::Plain {
    let made = (x.shape.clone(), x.dtype);
    let [x] = super::queue_fixed("exact", [x], [made], |[x]| [exact_now(x)]);
    x
}

#[cfg(feature = "cuda")]
fn exact_now(tensor: CubeTensor) -> CubeTensor {
    let mut tensor = owned(tensor);
    let bytes = tensor.meta.num_elements() * tensor.dtype.size();
    let beside = tensor.handle.size_in_used() - bytes as u64;
    tensor.handle = tensor.handle.offset_end(beside);
    tensor
}

/// Tensors without gaps, as an argument of a kernel.
pub(super) fn buffers<T: CubePrimitive>(tensors: &[CubeTensor]) -> SequenceArg<Box<[T]>> {
    let tensors = tensors.iter().cloned();
    tensors.map(CubeTensor::into_buffer_arg).collect()
}

#[cfg(all(test, feature = "cuda"))]
mod tests {
    use std::sync::mpsc;

    use bert_test_device::test_device;
    use bert_test_support::{Prerequisite, skip};
    use burn::tensor::Tensor;
    use burn_cubecl::Cube;

    use super::super::{plain, queue_fixed, runs};
    use super::*;

    #[test]
    fn a_handle_has_as_many_bytes_as_its_tensor() {
        let whole = Tensor::<1>::from_floats([1.0, 2.0, 3.0, 4.0], &test_device());
        if !runs(&whole) {
            skip(Prerequisite::Gpus, "found no GPU to test on");
            return;
        }
        let (sizes, found) = mpsc::channel();
        let part = plain(whole.clone().narrow(0, 1, 2));
        let made = (part.shape.clone(), part.dtype);
        let [part] = queue_fixed("test", [part], [made], move |[part]| {
            let before = part.handle.size_in_used();
            let part = exact_now(part);
            sizes.send([before, part.handle.size_in_used()]).unwrap();
            [part]
        });
        let part = Tensor::<1>::from_primitive::<Cube>(part);
        assert_eq!(part.try_into_vec_as::<f32>().unwrap(), [2.0, 3.0]);
        assert_eq!(
            whole.try_into_vec_as::<f32>().unwrap(),
            [1.0, 2.0, 3.0, 4.0]
        );
        let [before, after] = found.recv().unwrap();
        assert!(
            before > after,
            "a part has no more than it needs: nothing is tested"
        );
        assert_eq!(after, 8);
    }
}
