//! The processor: Burn's Flex backend.

use bert_kernels::{MaskSource, Precision};
use burn::tensor::Device;
use sysinfo::{MemoryRefreshKind, RefreshKind, System};

use crate::usage::DeviceMemory;
use crate::{BackendError, BackendKind, DeviceChoice};

pub(crate) static CPU: BackendKind = BackendKind {
    name: "cpu",
    feature: "flex",
    is_compiled_in: cfg!(feature = "flex"),
    is_numbered: false,
    precisions: &[Precision::Fp32],
    precision_note: "",
    eval_batch_size: 8,
    pad_to_multiple_of: 8,
    masks: MaskSource::Host,
    shares_host_memory: true,
    read_every: 1,
    is_present: || true,
    open,
    device_name: |_| None,
    memory,
    monitor: |_| None,
    largest_buffer: |_| None,
};

#[cfg(feature = "flex")]
fn open(_: DeviceChoice) -> Result<Device, BackendError> {
    Ok(Device::flex())
}

#[cfg(not(feature = "flex"))]
fn open(device: DeviceChoice) -> Result<Device, BackendError> {
    Err(BackendError::NotCompiledIn {
        device,
        feature: CPU.feature,
        advice: "`cargo xtask --backend flex` builds it",
    })
}

fn memory(_: usize) -> Option<DeviceMemory> {
    let what = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    let system = System::new_with_specifics(what);
    let free = system.available_memory();
    // A container may have less than its machine. Its page cache is given back when memory is needed.
    let limits = system.cgroup_limits();
    let limited = limits.map(|limits| limits.total_memory.saturating_sub(limits.rss));
    Some(DeviceMemory {
        used: None,
        free: limited.map_or(free, |limited| limited.min(free)),
    })
}
