//! Why a device cannot be used.

use bert_kernels::Precision;

use crate::DeviceChoice;

/// An error of a device. Settings are in backticks.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    /// The program cannot compute there.
    #[error(
        "`device`: found {device}, but this program was built without the {feature} feature; {advice}"
    )]
    NotCompiledIn {
        /// The device asked for.
        device: DeviceChoice,
        /// The Cargo feature that is missing.
        feature: &'static str,
        /// How to get it.
        advice: &'static str,
    },
    /// There are fewer devices than the number asks for.
    #[error("`device`: found {found} {what} ({note}), expected at least {expected}")]
    NoSuchDevice {
        /// Devices that there are.
        found: usize,
        /// What the backend's devices are.
        what: &'static str,
        /// Which there are, or what one needs.
        note: String,
        /// The number asked for, plus 1.
        expected: usize,
    },
    /// The threads that the processor computes with cannot be started.
    #[error("the processor's threads cannot be started: {0}")]
    Threads(rayon::ThreadPoolBuildError),
    /// The device is there, and its driver does not open it.
    #[error("{device}: cannot be opened: {reason}")]
    NotOpened {
        /// The device.
        device: DeviceChoice,
        /// What its driver says.
        reason: String,
    },
    /// Something that the backend needs besides a device is missing or too old.
    #[error("`device`: found {found}, expected {expected}")]
    Missing {
        /// What there is.
        found: String,
        /// What there must be.
        expected: String,
    },
    /// A test kernel did not run, or gave a wrong result.
    #[error("{device}: a test kernel {what}")]
    TestKernel {
        /// The device.
        device: DeviceChoice,
        /// What it did.
        what: String,
    },
    /// The device does not have this arithmetic.
    #[error("`precision`: found {found} on {device}, expected {}{note}", names(.expected))]
    Precision {
        /// The arithmetic asked for.
        found: Precision,
        /// The name of the backend's devices.
        device: &'static str,
        /// What it has.
        expected: &'static [Precision],
        /// Why not.
        note: &'static str,
    },
}

impl BackendError {
    /// Whether the user asked for what there is not, rather than the machine failed.
    pub fn is_bad_input(&self) -> bool {
        matches!(self, Self::NotCompiledIn { .. } | Self::Precision { .. })
    }
}

fn names(precisions: &[Precision]) -> String {
    let names: Vec<String> = precisions.iter().map(ToString::to_string).collect();
    names.join(" or ")
}
