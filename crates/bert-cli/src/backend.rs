//! The device that a command runs on, chosen at run time among the backends compiled in. This is the
//! only file that knows Burn's backends by name.

use std::fmt;
use std::str::FromStr;

use bert_model::MaskSource;
use bert_training::optimizer::Residency;
use burn::tensor::Device;

use crate::exit::bad_usage;

/// What `--device` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeviceChoice {
    /// The processor.
    Cpu,
    /// A CUDA device by number.
    Cuda(usize),
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = || format!("found {text:?}, expected cpu, cuda or cuda:N");
        match text.split_once(':') {
            None if text == "cpu" => Ok(Self::Cpu),
            None if text == "cuda" => Ok(Self::Cuda(0)),
            Some(("cuda", number)) => number.parse().map(Self::Cuda).map_err(|_| unknown()),
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => write!(f, "cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}

/// A device and what follows from its kind.
pub(crate) struct Backend {
    /// Without autodiff.
    pub(crate) device: Device,
    /// Where dropout masks are computed fastest.
    pub(crate) masks: MaskSource,
    /// Where the optimiser's state lives unless `--optimize-on-cpu` asks for the host.
    pub(crate) residency: Residency,
    /// Steps whose losses are read together.
    pub(crate) read_every: usize,
}

/// The device used when none is named: CUDA where it is compiled in.
pub(crate) fn default_device() -> DeviceChoice {
    match cfg!(feature = "cuda") {
        true => DeviceChoice::Cuda(0),
        false => DeviceChoice::Cpu,
    }
}

/// Opens a device.
///
/// # Errors
/// When its backend is not compiled in, or it is not there.
pub(crate) fn open(choice: DeviceChoice) -> anyhow::Result<Backend> {
    match choice {
        DeviceChoice::Cpu => open_cpu(),
        DeviceChoice::Cuda(number) => open_cuda(number),
    }
}

#[cfg(feature = "flex")]
fn open_cpu() -> anyhow::Result<Backend> {
    Ok(Backend {
        device: Device::flex(),
        masks: MaskSource::Host,
        residency: Residency::Shared,
        read_every: 1,
    })
}

#[cfg(not(feature = "flex"))]
fn open_cpu() -> anyhow::Result<Backend> {
    bad_usage!("--device: found cpu, but this program was built without the flex feature")
}

#[cfg(not(feature = "cuda"))]
fn open_cuda(number: usize) -> anyhow::Result<Backend> {
    bad_usage!(
        "--device: found cuda:{number}, but this program was built without the cuda feature; \
         `cargo xtask --backend cuda` builds it"
    )
}
