//! What a run takes of the machine.

use std::time::{Duration, Instant};

use serde::Serialize;

/// Steps may be done by the hundred in a second; what they take changes more slowly.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Looks at the process, and at the device where its driver tells, once a second.
pub(crate) struct Monitor {
    last: Option<(Instant, Usage)>,
    #[cfg(feature = "cuda")]
    device: Option<cuda::Device>,
}

/// One look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(crate) struct Usage {
    /// Host memory that the process has in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) memory_bytes: Option<u64>,
    /// Memory of the device that is in use, by whomever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) device_memory_bytes: Option<u64>,
    /// Share of the last moments in which the device had work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) device_utilization: Option<f64>,
}

/// A CUDA device, as its driver tells.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DeviceInfo {
    /// Its model.
    pub(crate) name: String,
    /// Memory in use, by whomever, in bytes.
    pub(crate) used: u64,
    /// Memory that nobody uses, in bytes.
    pub(crate) free: u64,
}

/// What the driver tells of a CUDA device; `None` where it does not.
pub(crate) fn device_info(number: usize) -> Option<DeviceInfo> {
    #[cfg(feature = "cuda")]
    return cuda::Device::open(number)?.info();
    #[cfg(not(feature = "cuda"))]
    {
        let _ = number;
        None
    }
}

impl Monitor {
    /// `cuda_device` is the number of the CUDA device that is used, if one is.
    pub(crate) fn new(cuda_device: Option<usize>) -> Self {
        #[cfg(not(feature = "cuda"))]
        let _ = cuda_device;
        Self {
            last: None,
            #[cfg(feature = "cuda")]
            device: cuda_device.and_then(cuda::Device::open),
        }
    }

    /// What is taken now, or was within the last second; what cannot be told is left out.
    pub(crate) fn look(&mut self) -> Usage {
        match self.last {
            Some((when, usage)) if when.elapsed() < LOOK_EVERY => usage,
            _ => {
                let usage = self.usage();
                self.last = Some((Instant::now(), usage));
                usage
            }
        }
    }

    fn usage(&self) -> Usage {
        let memory = memory_stats::memory_stats();
        let usage = Usage {
            memory_bytes: memory.map(|memory| memory.physical_mem as u64),
            ..Usage::default()
        };
        #[cfg(feature = "cuda")]
        if let Some(device) = &self.device {
            return device.add_to(usage);
        }
        usage
    }
}

#[cfg(feature = "cuda")]
mod cuda {
    use nvml_wrapper::Nvml;
    use nvml_wrapper::error::NvmlError;
    use tracing::debug;

    use super::{DeviceInfo, Usage};

    /// A device as NVIDIA's management library knows it.
    pub(super) struct Device {
        library: Nvml,
        /// Its place on the bus, by which it is found again.
        bus_id: String,
    }

    impl Device {
        /// `None` where the library is missing or it is not certain which device it is: a run does without.
        pub(super) fn open(number: usize) -> Option<Self> {
            let found = Nvml::init().and_then(|library| {
                let Some(bus_id) = bus_id(&library, number)? else {
                    return Err(NvmlError::NotFound);
                };
                Ok(Self { library, bus_id })
            });
            found
                .inspect_err(|error| debug!("the driver does not tell of the device: {error}"))
                .ok()
        }

        pub(super) fn info(&self) -> Option<DeviceInfo> {
            let found = self.library.device_by_pci_bus_id(self.bus_id.as_str());
            let found = found.and_then(|device| {
                let memory = device.memory_info()?;
                Ok(DeviceInfo {
                    name: device.name()?,
                    used: memory.used,
                    free: memory.free,
                })
            });
            found.ok()
        }

        pub(super) fn add_to(&self, usage: Usage) -> Usage {
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
}
