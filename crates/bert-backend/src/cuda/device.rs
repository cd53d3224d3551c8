//! Opening a CUDA device.

use std::sync::Arc;

use burn::tensor::{Device, DeviceIndex};
use cudarc::driver::sys::CUdevice_attribute as Attribute;
use cudarc::driver::{CudaContext, DriverError, result};

use super::requirements;
use crate::cube::{keep_compiled_kernels, test_kernel};
use crate::usage::nvml::DriverHandle;
use crate::usage::{DeviceMemory, DeviceMonitor};
use crate::{BackendError, DeviceChoice};

/// How a missing part of CUDA shows in a test kernel.
const NOT_STARTED: &str = "the CUDA runtime is not there; is NVRTC of the CUDA toolkit installed?";

pub(super) fn is_present() -> bool {
    keep_compiled_kernels(models);
    count() > 0
}

/// CUDA's devices, asked of its driver: Burn's list would load Vulkan too, where wgpu is compiled in.
fn count() -> usize {
    described().map_or(0, |models| models.len())
}

pub(super) fn open(choice: DeviceChoice) -> Result<Device, BackendError> {
    keep_compiled_kernels(models);
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
    requirements::check()?;
    let device = Device::cuda(DeviceIndex::Specified(number));
    tracing::info!(
        "opening {device:?}; kernels are compiled and tuned at their first use, which takes minutes on a new GPU"
    );
    test_kernel(choice, &device, NOT_STARTED)?;
    Ok(device)
}

/// The models of all devices and their compute capabilities, such as `NVIDIA-H100-80GB-HBM3-sm90`.
fn models() -> String {
    let mut models = described().unwrap_or_default();
    models.sort();
    models.dedup();
    if models.is_empty() {
        return "cuda".to_owned();
    }
    models.join("+")
}

/// Without the driver's library every call panics.
fn has_driver() -> bool {
    // SAFETY: the call loads a library, whose initialisation is NVIDIA's.
    unsafe { cudarc::driver::sys::is_culib_present() }
}

fn context(number: usize) -> Option<Arc<CudaContext>> {
    has_driver()
        .then(|| CudaContext::new(number).ok())
        .flatten()
}

fn described() -> Result<Vec<String>, DriverError> {
    if !has_driver() {
        return Ok(Vec::new());
    }
    result::init()?;
    let describe = |number| {
        let device = result::device::get(number)?;
        let name = result::device::get_name(device)?;
        let attribute = |attribute| {
            // SAFETY: the device is one that the driver has just given.
            unsafe { result::device::get_attribute(device, attribute) }
        };
        let major = attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?;
        let minor = attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?;
        let name: Vec<&str> = name
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .collect();
        Ok(format!("{}-sm{major}{minor}", name.join("-")))
    };
    (0..result::device::get_count()?).map(describe).collect()
}

pub(super) fn name(number: usize) -> Option<String> {
    let named = || context(number)?.name().ok();
    DriverHandle::open(number)
        .and_then(|driver| driver.name())
        .or_else(named)
}

/// By NVIDIA's management library, or where that is missing by CUDA itself.
pub(super) fn memory(number: usize) -> Option<DeviceMemory> {
    let told = || {
        let (free, total) = context(number)?.mem_get_info().ok()?;
        Some(DeviceMemory {
            used: Some(total.saturating_sub(free) as u64),
            free: free as u64,
        })
    };
    DriverHandle::open(number)
        .and_then(|driver| driver.memory())
        .or_else(told)
}

pub(super) fn monitor(number: usize) -> Option<Box<dyn DeviceMonitor>> {
    Some(Box::new(DriverHandle::open(number)?))
}
