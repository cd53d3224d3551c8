//! CUDA: NVIDIA's GPUs, through CubeCL.

use bert_kernels::{MaskSource, Precision};

use crate::BackendKind;

pub(crate) static CUDA: BackendKind = BackendKind {
    name: "cuda",
    feature: "cuda",
    is_compiled_in: cfg!(feature = "cuda"),
    is_numbered: true,
    precisions: || &[Precision::Tf32, Precision::Bf16],
    precision_note: |_| ": Burn 0.22 computes large 32-bit products there in TF32 and cannot be told not to",
    eval_batch_size: 64,
    pad_to_multiple_of: 16,
    masks: MaskSource::Device,
    shares_host_memory: false,
    read_every: 10,
    is_present: device::is_present,
    open: device::open,
    device_name: device::name,
    memory: device::memory,
    monitor: device::monitor,
    // CUDA does not limit one allocation.
    largest_buffer: |_| None,
};

/// Without the backend there is no device.
#[cfg(not(feature = "cuda"))]
mod device {
    use burn::tensor::Device;

    use crate::usage::{DeviceMemory, DeviceMonitor};
    use crate::{BackendError, DeviceChoice};

    pub(super) fn is_present() -> bool {
        false
    }

    pub(super) fn open(device: DeviceChoice) -> Result<Device, BackendError> {
        Err(BackendError::NotCompiledIn {
            device,
            feature: super::CUDA.feature,
            advice: "`cargo xtask --backend cuda` builds it",
        })
    }

    pub(super) fn name(_: usize) -> Option<String> {
        None
    }

    pub(super) fn memory(_: usize) -> Option<DeviceMemory> {
        None
    }

    pub(super) fn monitor(_: usize) -> Option<Box<dyn DeviceMonitor>> {
        None
    }
}

#[cfg(feature = "cuda")]
mod device;
#[cfg(feature = "cuda")]
mod requirements;
