//! Memory and load of the process and of the device.

#[cfg(feature = "cuda")]
pub(crate) mod nvml;

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::DeviceChoice;

/// A run may do hundreds of steps in a second; its memory changes more slowly.
const READ_EVERY: Duration = Duration::from_secs(1);

/// Memory of a device, as its driver or the operating system tells.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceMemory {
    /// Bytes in use by all processes.
    pub used: Option<u64>,
    /// Bytes that are free.
    pub free: u64,
}

/// What a run uses. Values that cannot be read are left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Usage {
    /// Host memory of the process, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Memory of the device in use by all processes, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_memory_bytes: Option<u64>,
    /// Share of the last moments in which the device had work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_utilization: Option<f64>,
}

/// What a driver tells of a device while it works.
pub(crate) trait DeviceMonitor: Send {
    /// Fills in what is known of the device.
    fn add_to(&self, usage: Usage) -> Usage;
}

/// Reads [`Usage`] at most once a second.
pub struct UsageMonitor {
    last: Option<(Instant, Usage)>,
    device: Option<Box<dyn DeviceMonitor>>,
}

impl UsageMonitor {
    /// Watches this process and a device.
    pub fn new(device: DeviceChoice) -> Self {
        Self {
            last: None,
            device: (device.kind().monitor)(device.number()),
        }
    }

    /// The usage now, or that of at most one second ago.
    pub fn read(&mut self) -> Usage {
        match self.last {
            Some((when, usage)) if when.elapsed() < READ_EVERY => usage,
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
        match &self.device {
            Some(device) => device.add_to(usage),
            None => usage,
        }
    }
}
