//! NVIDIA's management library.

use nvml_wrapper::Nvml;
use nvml_wrapper::error::NvmlError;
use tracing::debug;

use super::{DeviceMemory, DeviceMonitor, Usage};

/// A device as NVIDIA's management library knows it.
pub(crate) struct DriverHandle {
    library: Nvml,
    /// Its place on the bus, by which it is found again.
    bus_id: String,
}

impl DriverHandle {
    /// `None` where the library is missing or it is not certain which device it is: a run does without.
    pub(crate) fn open(number: usize) -> Option<Self> {
        let found = Nvml::init().and_then(|library| {
            let Some(bus_id) = bus_id(&library, number)? else {
                return Err(NvmlError::NotFound);
            };
            Ok(Self { library, bus_id })
        });
        found
            .inspect_err(|error| {
                debug!("NVIDIA's management library does not report the device: {error}")
            })
            .ok()
    }

    pub(crate) fn memory(&self) -> Option<DeviceMemory> {
        let found = self.library.device_by_pci_bus_id(self.bus_id.as_str());
        let found = found.and_then(|device| {
            let memory = device.memory_info()?;
            Ok(DeviceMemory {
                used: Some(memory.used),
                free: memory.free,
            })
        });
        found.ok()
    }

    pub(crate) fn name(&self) -> Option<String> {
        let found = self.library.device_by_pci_bus_id(self.bus_id.as_str());
        found.and_then(|device| device.name()).ok()
    }
}

impl DeviceMonitor for DriverHandle {
    fn add_to(&self, usage: Usage) -> Usage {
        let Ok(device) = self.library.device_by_pci_bus_id(self.bus_id.as_str()) else {
            return usage;
        };
        Usage {
            device_memory_bytes: device.memory_info().ok().map(|memory| memory.used),
            device_utilization: device
                .utilization_rates()
                .ok()
                .map(|rates| f64::from(rates.gpu) / 100.0),
            ..usage
        }
    }
}

/// `CUDA_VISIBLE_DEVICES` renumbers the devices for CUDA, not for the management library, by numbers or by
/// unique names; and CUDA sorts them by speed, the library by bus, unless `CUDA_DEVICE_ORDER` says otherwise.
fn bus_id(library: &Nvml, number: usize) -> Result<Option<String>, NvmlError> {
    let visible = std::env::var("CUDA_VISIBLE_DEVICES").unwrap_or_default();
    let listed = visible.split(',').nth(number).map(str::trim);
    if let Some(name) = listed.filter(|name| name.starts_with("GPU-")) {
        return Ok(Some(library.device_by_uuid(name)?.pci_info()?.bus_id));
    }
    let by_bus = std::env::var("CUDA_DEVICE_ORDER").is_ok_and(|order| order == "PCI_BUS_ID");
    if !by_bus && library.device_count()? > 1 {
        return Ok(None);
    }
    let index = match listed {
        None | Some("") => number as u32,
        Some(index) => match index.parse() {
            Ok(index) => index,
            Err(_) => return Ok(None),
        },
    };
    Ok(Some(library.device_by_index(index)?.pci_info()?.bus_id))
}
