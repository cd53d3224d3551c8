//! The processor: Burn's Flex backend.

use bert_kernels::{MaskSource, Precision, processor_has_bf16};
use burn::tensor::Device;
use sysinfo::{MemoryRefreshKind, RefreshKind, System};

use crate::usage::DeviceMemory;
use crate::{BackendError, BackendKind, DeviceChoice};

pub(crate) static CPU: BackendKind = BackendKind {
    name: "cpu",
    feature: "flex",
    is_compiled_in: cfg!(feature = "flex"),
    is_numbered: false,
    precisions: || precisions(processor_has_bf16()),
    precision_note: |precision| match precision {
        Precision::Bf16 => ": the processor lacks AVX512-BF16",
        _ => "",
    },
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

fn precisions(has_bf16: bool) -> &'static [Precision] {
    if has_bf16 {
        &[Precision::Fp32, Precision::Bf16]
    } else {
        &[Precision::Fp32]
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bf16_is_refused_by_what_the_processor_lacks() {
        let lacking = BackendKind {
            precisions: || precisions(false),
            ..CPU
        };
        assert_eq!(lacking.precision(None).unwrap(), Precision::Fp32);
        let refused = |precision| {
            let error = lacking.precision(Some(precision)).unwrap_err();
            assert!(error.is_bad_input());
            error.to_string()
        };
        assert_eq!(
            refused(Precision::Bf16),
            "`precision`: found bf16 on cpu, expected fp32: the processor lacks AVX512-BF16"
        );
        assert_eq!(
            refused(Precision::Tf32),
            "`precision`: found tf32 on cpu, expected fp32"
        );
        let having = BackendKind {
            precisions: || precisions(true),
            ..CPU
        };
        assert_eq!(having.precision(None).unwrap(), Precision::Fp32);
        let bf16 = having.precision(Some(Precision::Bf16));
        assert_eq!(bf16.unwrap(), Precision::Bf16);
    }
}
