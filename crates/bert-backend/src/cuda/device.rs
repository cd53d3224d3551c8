//! Opening a CUDA device.

use std::sync::atomic::{AtomicBool, Ordering};

use burn::tensor::{Device, Tensor};

use crate::usage::DeviceMemory;
use crate::usage::nvml::DriverHandle;
use crate::{BackendError, DeviceChoice};

pub(super) fn open(choice: DeviceChoice) -> Result<Device, BackendError> {
    keep_compiled_kernels();
    let found = Device::enumerate(burn::tensor::DeviceType::Cuda).len();
    let number = choice.number();
    if number >= found {
        return Err(BackendError::NoSuchDevice {
            found,
            expected: number + 1,
        });
    }
    let headers = cubecl_cuda::install::cuda_path().map(|path| path.join("include/cuda_fp16.h"));
    if !headers.as_ref().is_some_and(|path| path.is_file()) {
        return Err(BackendError::NoToolkit);
    }
    let device = Device::cuda(burn::tensor::DeviceIndex::Specified(number));
    tracing::info!(
        "opening {device:?}; kernels are compiled and tuned at their first use, which takes minutes on a new GPU"
    );
    match test_kernel(&device) {
        Ok(()) => Ok(device),
        Err(what) => Err(BackendError::TestKernel {
            device: choice,
            what,
        }),
    }
}

pub(super) fn memory(number: usize) -> Option<DeviceMemory> {
    DriverHandle::open(number)?.memory()
}

/// Keeps compiled and tuned kernels in the user's cache, unless a configuration file says otherwise. Has
/// an effect only before the first use of a device.
fn keep_compiled_kernels() {
    use cubecl_runtime::config::cache::CacheConfig;
    use cubecl_runtime::config::compilation::CompilationLogLevel;
    use cubecl_runtime::config::{CubeClRuntimeConfig, RuntimeConfig};
    static CONFIGURED: AtomicBool = AtomicBool::new(false);
    // A process that opens a device again keeps its configuration.
    if CONFIGURED.swap(true, Ordering::Relaxed) {
        return;
    }
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
fn test_kernel(device: &Device) -> Result<(), String> {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let outcome = std::panic::catch_unwind(|| {
        let ones = Tensor::<1>::from_floats([1.0, 2.0, 3.0], device);
        (ones + 1.0).try_into_vec_as::<f32>()
    });
    std::panic::set_hook(hook);
    match outcome {
        Ok(Ok(values)) if values == [2.0, 3.0, 4.0] => Ok(()),
        Ok(Ok(values)) => Err(format!("gave {values:?}, expected [2.0, 3.0, 4.0]")),
        Ok(Err(error)) => Err(format!("failed: {error:?}")),
        Err(_) => Err(
            "did not start: the CUDA runtime is not there; is NVRTC of the CUDA toolkit installed?"
                .to_owned(),
        ),
    }
}
