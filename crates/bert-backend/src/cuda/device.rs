//! Opening a CUDA device.

use burn::tensor::{Device, DeviceIndex, DeviceType};

use crate::cube::{keep_compiled_kernels, test_kernel};
use crate::usage::nvml::DriverHandle;
use crate::usage::{DeviceMemory, DeviceMonitor};
use crate::{BackendError, DeviceChoice};

/// How a missing part of CUDA shows in a test kernel.
const NOT_STARTED: &str = "the CUDA runtime is not there; is NVRTC of the CUDA toolkit installed?";

pub(super) fn is_present() -> bool {
    keep_compiled_kernels();
    count() > 0
}

fn count() -> usize {
    Device::enumerate(DeviceType::Cuda).len()
}

pub(super) fn open(choice: DeviceChoice) -> Result<Device, BackendError> {
    keep_compiled_kernels();
    let found = count();
    let number = choice.number();
    if number >= found {
        return Err(BackendError::NoSuchDevice {
            found,
            what: "CUDA devices",
            note: "an NVIDIA driver and GPU are needed".to_owned(),
            expected: number + 1,
        });
    }
    let headers = cubecl_cuda::install::cuda_path().map(|path| path.join("include/cuda_fp16.h"));
    if !headers.as_ref().is_some_and(|path| path.is_file()) {
        return Err(BackendError::NoToolkit);
    }
    let device = Device::cuda(DeviceIndex::Specified(number));
    tracing::info!(
        "opening {device:?}; kernels are compiled and tuned at their first use, which takes minutes on a new GPU"
    );
    test_kernel(choice, &device, NOT_STARTED)?;
    Ok(device)
}

pub(super) fn name(number: usize) -> Option<String> {
    DriverHandle::open(number)?.name()
}

pub(super) fn memory(number: usize) -> Option<DeviceMemory> {
    DriverHandle::open(number)?.memory()
}

pub(super) fn monitor(number: usize) -> Option<Box<dyn DeviceMonitor>> {
    Some(Box::new(DriverHandle::open(number)?))
}
