//! The device that a command runs on, chosen at run time among the backends compiled in. This is the
//! only file that knows Burn's backends by name.

use std::fmt;
use std::str::FromStr;

use bert_model::MaskSource;
use bert_training::optimizer::Residency;
use burn::tensor::Device;

#[cfg(not(all(feature = "flex", feature = "cuda")))]
use crate::exit::bad_usage;

/// What `--device` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeviceChoice {
    /// The processor.
    Cpu,
    /// A CUDA device by number.
    Cuda(usize),
}

impl DeviceChoice {
    /// The kind of device.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda(_) => "cuda",
        }
    }

    /// The number of the CUDA device, where it is one.
    pub(crate) fn cuda_index(self) -> Option<usize> {
        match self {
            Self::Cpu => None,
            Self::Cuda(number) => Some(number),
        }
    }
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
    /// Batches that are computed at once where nothing is trained.
    pub(crate) concurrent: usize,
}

impl Backend {
    /// Where the optimiser's state lives; `on_cpu` is --optimize-on-cpu.
    pub(crate) fn residency(&self, on_cpu: bool) -> Residency {
        match (on_cpu, self.residency) {
            (true, Residency::Device) => Residency::Host,
            (_, residency) => residency,
        }
    }
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
        concurrent: rayon::current_num_threads(),
    })
}

#[cfg(not(feature = "flex"))]
fn open_cpu() -> anyhow::Result<Backend> {
    bad_usage!("--device: found cpu, but this program was built without the flex feature")
}

#[cfg(feature = "cuda")]
fn open_cuda(number: usize) -> anyhow::Result<Backend> {
    keep_compiled_kernels();
    let found = Device::enumerate(burn::tensor::DeviceType::Cuda).len();
    if number >= found {
        anyhow::bail!(
            "--device: found {found} CUDA devices (an NVIDIA driver and GPU are needed), expected at least {}",
            number + 1
        );
    }
    let headers = cubecl_cuda::install::cuda_path().map(|path| path.join("include/cuda_fp16.h"));
    if !headers.as_ref().is_some_and(|path| path.is_file()) {
        anyhow::bail!(
            "--device: found no CUDA headers, expected a CUDA toolkit under CUDA_PATH or /usr/local/cuda"
        );
    }
    let device = Device::cuda(burn::tensor::DeviceIndex::Specified(number));
    tracing::info!(
        "opening {device:?}; kernels are compiled and tuned at their first use, which takes minutes on a new GPU"
    );
    try_one_kernel(&device)?;
    Ok(Backend {
        device,
        masks: MaskSource::Device,
        residency: Residency::Device,
        read_every: 10,
        concurrent: 1,
    })
}

/// Keeps compiled and tuned kernels in the user's cache, unless a configuration file says otherwise. Has
/// an effect only before the first use of a device.
#[cfg(feature = "cuda")]
fn keep_compiled_kernels() {
    use cubecl_runtime::config::cache::CacheConfig;
    use cubecl_runtime::config::compilation::CompilationLogLevel;
    use cubecl_runtime::config::{CubeClRuntimeConfig, RuntimeConfig};
    static ONCE: std::sync::Once = std::sync::Once::new();
    // Several commands in one process open it again.
    if ONCE.is_completed() {
        return;
    }
    ONCE.call_once(|| {});
    let mut config = CubeClRuntimeConfig::from_current_dir().override_from_env();
    config.compilation.cache = true;
    if matches!(config.environment.path, CacheConfig::Target) {
        config.environment.path = CacheConfig::Global;
    }
    // To the log at its default level, where `KernelNotices` counts them.
    config.compilation.logger.log.get_or_insert_default();
    if matches!(
        config.compilation.logger.level,
        CompilationLogLevel::Disabled
    ) {
        config.compilation.logger.level = CompilationLogLevel::Basic;
    }
    config.autotune.logger.log.get_or_insert_default();
    if !CubeClRuntimeConfig::try_set(config) {
        tracing::warn!("compiled kernels are not kept: the CUDA runtime was configured before");
    }
}

/// Runs a kernel and checks its result: a missing compiler or driver library shows in no other way than
/// a panic on another thread, or a wrong value.
#[cfg(feature = "cuda")]
fn try_one_kernel(device: &Device) -> anyhow::Result<()> {
    use burn::tensor::Tensor;
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let outcome = std::panic::catch_unwind(|| {
        let ones = Tensor::<1>::from_floats([1.0, 2.0, 3.0], device);
        (ones + 1.0).try_into_vec_as::<f32>()
    });
    std::panic::set_hook(hook);
    match outcome {
        Ok(Ok(values)) if values == [2.0, 3.0, 4.0] => Ok(()),
        Ok(Ok(values)) => {
            anyhow::bail!("{device:?}: a test kernel gave {values:?}, expected [2.0, 3.0, 4.0]")
        }
        Ok(Err(error)) => anyhow::bail!("{device:?}: a test kernel failed: {error:?}"),
        Err(_) => anyhow::bail!(
            "{device:?}: the CUDA runtime could not be started; is NVRTC of the CUDA toolkit installed?"
        ),
    }
}

#[cfg(not(feature = "cuda"))]
fn open_cuda(number: usize) -> anyhow::Result<Backend> {
    bad_usage!(
        "--device: found cuda:{number}, but this program was built without the cuda feature; \
         `cargo xtask --backend cuda` builds it"
    )
}
