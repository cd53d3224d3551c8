//! The table of backends.

use bert_kernels::{MaskSource, Precision};
use burn::tensor::Device;

use crate::usage::{DeviceMemory, DeviceMonitor};
use crate::{BackendError, DeviceChoice};

/// Every backend, in the order in which one is chosen where the user names none: the first that is compiled in and
/// has a device.
pub static BACKENDS: [&BackendKind; 3] = [&crate::cuda::CUDA, &crate::wgpu::WGPU, &crate::cpu::CPU];

/// What follows from a backend.
#[derive(Debug)]
pub struct BackendKind {
    /// The name of its devices: `cpu`, `cuda`, `wgpu`.
    pub name: &'static str,
    /// The Cargo feature that compiles it in.
    pub feature: &'static str,
    /// Whether it is compiled in.
    pub is_compiled_in: bool,
    /// Whether it may have several devices, which are numbered from 0 (`cuda:1`).
    pub is_numbered: bool,
    /// The arithmetic that its matrix products have on this machine; the first is the default.
    pub precisions: fn() -> &'static [Precision],
    /// Why it does not have another; may be empty.
    pub(crate) precision_note: fn(Precision) -> &'static str,
    /// Rows of an evaluation batch, by default.
    pub eval_batch_size: usize,
    /// Tokens to a multiple of which the rows of single requests are padded. A GPU compiles and tunes its kernels for
    /// each width.
    pub pad_to_multiple_of: usize,
    /// Where dropout masks are computed fastest.
    pub masks: MaskSource,
    /// Whether its memory is the host's, in which the optimiser's state then lives and is updated in place.
    pub shares_host_memory: bool,
    /// Steps whose losses are read together: reading waits for the device.
    pub read_every: usize,
    /// Whether there is a device that may be chosen where the user names none.
    pub(crate) is_present: fn() -> bool,
    pub(crate) open: fn(DeviceChoice) -> Result<Device, BackendError>,
    /// The model of a device; `None` where nothing tells it.
    pub(crate) device_name: fn(usize) -> Option<String>,
    /// Memory of a device; `None` where nothing tells it.
    pub(crate) memory: fn(usize) -> Option<DeviceMemory>,
    /// What a device uses while it works; `None` where nothing tells it.
    pub(crate) monitor: fn(usize) -> Option<Box<dyn DeviceMonitor>>,
    /// The most bytes that one tensor may have on an opened device; `None` where only memory limits it.
    pub(crate) largest_buffer: fn(usize) -> Option<u64>,
}

impl BackendKind {
    /// Threads that compute where the device is the processor.
    pub fn threads(&self) -> Option<usize> {
        self.shares_host_memory
            .then(|| std::thread::available_parallelism().map_or(1, usize::from))
    }

    /// Checks that products can be computed in a precision, or names the default one.
    ///
    /// # Errors
    /// [`BackendError::Precision`] when the backend does not have it.
    pub fn precision(&self, asked: Option<Precision>) -> Result<Precision, BackendError> {
        let precisions = (self.precisions)();
        match asked {
            None => Ok(precisions[0]),
            Some(precision) if precisions.contains(&precision) => Ok(precision),
            Some(found) => Err(BackendError::Precision {
                found,
                device: self.name,
                expected: precisions,
                note: (self.precision_note)(found),
            }),
        }
    }
}
