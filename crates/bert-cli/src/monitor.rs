//! What a run takes of the machine.

use serde::Serialize;

/// Looks at the process, and at the device where its driver tells.
pub(crate) struct Monitor {
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

impl Monitor {
    /// `cuda_device` is the number of the CUDA device that is used, if one is.
    pub(crate) fn new(cuda_device: Option<usize>) -> Self {
        #[cfg(not(feature = "cuda"))]
        let _ = cuda_device;
        Self {
            #[cfg(feature = "cuda")]
            device: cuda_device.and_then(cuda::Device::open),
        }
    }

    /// Looks now; what cannot be told is left out.
    pub(crate) fn look(&self) -> Usage {
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
    use tracing::debug;

    use super::Usage;

    /// A device as NVIDIA's management library knows it.
    pub(super) struct Device {
        library: Nvml,
        /// Its place on the bus, by which it is found again.
        bus_id: String,
    }

    impl Device {
        /// `None` where the library is missing or does not know the device: a run does without.
        pub(super) fn open(number: usize) -> Option<Self> {
            let found = Nvml::init().and_then(|library| {
                let bus_id = library
                    .device_by_index(physical_index(number))?
                    .pci_info()?
                    .bus_id;
                Ok(Self { library, bus_id })
            });
            found
                .inspect_err(|error| debug!("the driver does not tell of the device: {error}"))
                .ok()
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

    /// `CUDA_VISIBLE_DEVICES` renumbers the devices for CUDA, not for the management library.
    fn physical_index(number: usize) -> u32 {
        let visible = std::env::var("CUDA_VISIBLE_DEVICES").unwrap_or_default();
        let listed = visible.split(',').nth(number);
        listed
            .and_then(|index| index.trim().parse().ok())
            .unwrap_or(number as u32)
    }
}
