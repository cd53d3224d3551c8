//! Finding and opening an adapter.

use std::sync::OnceLock;

use burn::backend::Device as _;
use burn::tensor::Device;
use cubecl_runtime::client::Client;
use cubecl_runtime::runtime::Runtime;
use cubecl_wgpu::{
    AutoGraphicsApi, RuntimeOptions, WgpuDevice, WgpuDeviceKind, WgpuInitError, WgpuRuntime,
    try_init_setup,
};

use crate::cube::{keep_compiled_kernels, test_kernel};
use crate::{BackendError, DeviceChoice};

/// How a driver that is not whole shows in a test kernel.
const NOT_STARTED: &str = "the graphics driver gave up; is it complete and of this machine?";

/// The adapters of this machine, those that compute fastest first: a device's number is its place.
fn adapters() -> &'static [WgpuDevice] {
    static ADAPTERS: OnceLock<Vec<WgpuDevice>> = OnceLock::new();
    ADAPTERS.get_or_init(|| {
        keep_compiled_kernels(|| "wgpu".to_owned());
        let ids = <WgpuRuntime>::enumerate_all_devices();
        let mut found: Vec<WgpuDevice> = ids.into_iter().map(WgpuDevice::from_id).collect();
        found.sort_by_key(|device| sort(&device.kind).0);
        found
    })
}

/// An adapter's rank, and what it is called.
fn sort(kind: &WgpuDeviceKind) -> (u8, &'static str) {
    match kind {
        WgpuDeviceKind::DiscreteGpu(_) => (0, "a discrete GPU"),
        WgpuDeviceKind::IntegratedGpu(_) => (1, "an integrated GPU"),
        WgpuDeviceKind::VirtualGpu(_) => (2, "a virtual GPU"),
        WgpuDeviceKind::Cpu => (4, "a software adapter"),
        _ => (3, "an adapter of another kind"),
    }
}

/// A software adapter computes on the processor, more slowly than the CPU's own backend.
fn is_software(device: &WgpuDevice) -> bool {
    device.kind == WgpuDeviceKind::Cpu
}

/// Where Linux has a GPU, it has one of these. Vulkan is asked only then: its layers print what they miss on a machine
/// without a screen.
#[cfg(target_os = "linux")]
fn may_have_gpu() -> bool {
    let nodes = |folder: &str| std::fs::read_dir(folder).into_iter().flatten().flatten();
    let is_gpu = |name: &str| {
        let kinds = ["renderD", "nvidia", "kfd", "dxg", "kgsl"];
        kinds.iter().any(|kind| name.starts_with(kind))
    };
    ["/dev/dri", "/dev"]
        .into_iter()
        .flat_map(nodes)
        .any(|node| node.file_name().to_str().is_some_and(is_gpu))
}

#[cfg(not(target_os = "linux"))]
fn may_have_gpu() -> bool {
    true
}

pub(super) fn is_present() -> bool {
    may_have_gpu() && adapters().first().is_some_and(|first| !is_software(first))
}

pub(super) fn open(choice: DeviceChoice) -> Result<Device, BackendError> {
    let found = adapters();
    let Some(adapter) = found.get(choice.number()) else {
        return Err(BackendError::NoSuchDevice {
            found: found.len(),
            what: "wgpu adapters",
            note: listed(found),
            expected: choice.number() + 1,
        });
    };
    start(adapter).map_err(|error| BackendError::NotOpened {
        device: choice,
        reason: error.to_string(),
    })?;
    let device = Device::from(adapter.clone());
    let name = name(choice.number()).unwrap_or_default();
    tracing::info!(
        "opening {choice}: {name}, {}; kernels are compiled and tuned at their first use, which takes minutes on a new GPU",
        sort(&adapter.kind).1
    );
    if is_software(adapter) {
        tracing::warn!("{choice} computes on the processor, more slowly than the device cpu does");
    }
    test_kernel(choice, &device, NOT_STARTED)?;
    Ok(device)
}

/// Starts the runtime, which otherwise starts at its first use and panics where it cannot.
fn start(adapter: &WgpuDevice) -> Result<(), WgpuInitError> {
    let options = RuntimeOptions::try_default()?;
    match try_init_setup::<AutoGraphicsApi>(adapter, options) {
        // It runs already.
        Ok(_) | Err(WgpuInitError::Registration { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// What there is, or what is needed where there is nothing.
fn listed(adapters: &[WgpuDevice]) -> String {
    if adapters.is_empty() {
        return "a GPU with a driver for Vulkan, Metal or DirectX 12 is needed".to_owned();
    }
    let named = adapters.iter().enumerate();
    let named = named.map(|(n, adapter)| format!("wgpu:{n} is {}", sort(&adapter.kind).1));
    named.collect::<Vec<_>>().join(", ")
}

/// The runtime of an adapter, which it starts.
fn client(number: usize) -> Option<Client> {
    Some(<WgpuRuntime>::client(adapters().get(number)?))
}

pub(super) fn name(number: usize) -> Option<String> {
    Some(client(number)?.properties().identity.name.clone())
}

/// WebGPU binds a whole buffer to a kernel, and limits what is bound.
pub(super) fn largest_buffer(number: usize) -> Option<u64> {
    Some(client(number)?.properties().memory.max_page_size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_no_adapter_has_is_refused_with_what_there_is() {
        let choice: DeviceChoice = "wgpu:4000".parse().unwrap();
        let Err(error) = open(choice) else {
            panic!("there is no such adapter");
        };
        let found = adapters();
        let line = error.to_string();
        let begins = format!("`device`: found {} wgpu adapters (", found.len());
        assert!(line.starts_with(&begins), "{line}");
        assert!(line.ends_with("), expected at least 4001"), "{line}");
        assert_eq!(
            line.contains("a GPU with a driver for Vulkan"),
            found.is_empty()
        );
        assert_eq!(line.contains("wgpu:0 is "), !found.is_empty(), "{line}");
        assert!(!error.is_bad_input());
    }

    #[test]
    fn software_comes_last() {
        let mut kinds = [
            WgpuDeviceKind::Cpu,
            WgpuDeviceKind::Other(0),
            WgpuDeviceKind::IntegratedGpu(0),
            WgpuDeviceKind::DiscreteGpu(1),
        ];
        kinds.sort_by_key(|kind| sort(kind).0);
        assert_eq!(kinds[0], WgpuDeviceKind::DiscreteGpu(1));
        assert_eq!(kinds[3], WgpuDeviceKind::Cpu);
        assert!(is_software(&WgpuDevice::new(kinds[3].clone())));
    }
}
