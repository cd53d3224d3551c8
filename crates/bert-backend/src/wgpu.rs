//! GPUs of any maker, through wgpu: Vulkan, Metal or DirectX 12, by CubeCL.

use bert_kernels::{MaskSource, Precision};

use crate::BackendKind;

pub(crate) static WGPU: BackendKind = BackendKind {
    name: "wgpu",
    feature: "wgpu",
    is_compiled_in: cfg!(feature = "wgpu"),
    is_numbered: true,
    precisions: || &[Precision::Fp32],
    precision_note: |_| ": WGSL, the language of its kernels, has neither bf16 nor tf32",
    // Half of CUDA's or less: the cards are smaller, and so is a buffer of theirs.
    eval_batch_size: 16,
    pad_to_multiple_of: 16,
    masks: MaskSource::Device,
    shares_host_memory: false,
    read_every: 10,
    is_present: device::is_present,
    open: device::open,
    device_name: device::name,
    // No graphics API tells how much is free; a card's size alone would promise too much.
    memory: |_| None,
    monitor: |_| None,
    largest_buffer: device::largest_buffer,
};

/// Without the backend there is no device.
#[cfg(not(feature = "wgpu"))]
mod device {
    use burn::tensor::Device;

    use crate::{BackendError, DeviceChoice};

    pub(super) fn is_present() -> bool {
        false
    }

    pub(super) fn open(device: DeviceChoice) -> Result<Device, BackendError> {
        Err(BackendError::NotCompiledIn {
            device,
            feature: super::WGPU.feature,
            advice: "`cargo xtask --backend wgpu` builds it",
        })
    }

    pub(super) fn name(_: usize) -> Option<String> {
        None
    }

    pub(super) fn largest_buffer(_: usize) -> Option<u64> {
        None
    }
}

#[cfg(feature = "wgpu")]
mod device;
