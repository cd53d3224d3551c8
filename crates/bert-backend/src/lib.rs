//! The devices that a model runs on.
//!
//! Each backend is one [`BackendKind`]: its name, what it computes in, how large its batches are, where its dropout
//! masks and optimiser state live, how often its losses are read, and how it is opened. Nothing outside this crate
//! branches on a backend's name. Which backends are compiled in is a matter of Cargo features; which one runs is
//! chosen at run time by a [`DeviceChoice`].

mod choice;
mod cpu;
#[cfg(any(feature = "cuda", feature = "wgpu"))]
mod cube;
mod cuda;
mod error;
#[cfg(any(feature = "cuda", feature = "wgpu", test))]
mod free_folder;
mod kind;
mod usage;
mod wgpu;

use burn::tensor::Device;

pub use choice::DeviceChoice;
pub use error::BackendError;
pub use kind::{BACKENDS, BackendKind};
pub use usage::{DeviceMemory, Usage, UsageMonitor};

/// Burn's version, which the workspace pins.
pub const BURN_VERSION: &str = "0.22.1";

/// Starts the threads that the processor computes with: as many as it has cores, or as `RAYON_NUM_THREADS` says. Without
/// this they are started at their first use, which panics where they cannot be.
///
/// # Errors
/// When they cannot be started, for want of memory or of threads.
pub fn start_threads() -> Result<(), BackendError> {
    let pool = rayon::ThreadPoolBuilder::new().build_global();
    pool.map_err(BackendError::Threads)
}

/// An opened device.
pub struct Backend {
    /// Which device it is.
    pub choice: DeviceChoice,
    /// Burn's device, without autodiff.
    pub device: Device,
}

impl Backend {
    /// Opens a device.
    ///
    /// # Errors
    /// When its backend is not compiled in, the device does not exist, or it does not compute.
    pub fn open(choice: DeviceChoice) -> Result<Self, BackendError> {
        let device = (choice.kind().open)(choice)?;
        Ok(Self { choice, device })
    }

    /// What follows from the device's backend.
    pub fn kind(&self) -> &'static BackendKind {
        self.choice.kind()
    }

    /// The most bytes that one tensor may have; `None` where only memory limits it.
    pub fn largest_buffer(&self) -> Option<u64> {
        (self.kind().largest_buffer)(self.choice.number())
    }

    /// Batches that are computed at once where nothing is trained: one a thread on a processor, each of which then
    /// goes through the whole model without waiting for the others after every operation; 1 on other devices.
    pub fn concurrent_batches(&self) -> usize {
        if self.kind().shares_host_memory {
            rayon::current_num_threads()
        } else {
            1
        }
    }
}
