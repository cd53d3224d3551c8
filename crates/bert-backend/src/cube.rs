//! What the backends of CubeCL share: its configuration, and a kernel that shows whether a device computes.

use std::fs::File;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use bert_kernels::{DeviceError, device_fault};
use burn::tensor::{Device, Tensor};

use crate::free_folder::free_folder;
use crate::{BackendError, DeviceChoice};

/// Holds the lock of this process's folder of kernels until the process ends.
static FOLDER: OnceLock<File> = OnceLock::new();

/// Keeps compiled and tuned kernels in the user's cache, in a folder for the models of the machine's devices: CubeCL
/// takes all devices of a backend for one model, and a kernel that was the fastest on one may not run on another.
/// Processes that run at the same time have folders of their own: CubeCL's threads panic where two add one kernel. A
/// configuration file decides otherwise. Has an effect only before the first use of a device.
pub(crate) fn keep_compiled_kernels(models: impl FnOnce() -> String) {
    use cubecl_runtime::config::cache::CacheConfig;
    use cubecl_runtime::config::compilation::CompilationLogLevel;
    use cubecl_runtime::config::{CubeClRuntimeConfig, RuntimeConfig};
    static CONFIGURED: AtomicBool = AtomicBool::new(false);
    // A process that opens a device again keeps its configuration.
    if CONFIGURED.swap(true, Ordering::Relaxed) {
        return;
    }
    device_fault::listen();
    let mut config = CubeClRuntimeConfig::from_current_dir().override_from_env();
    config.compilation.cache = true;
    if matches!(config.environment.path, CacheConfig::Target) {
        let folder = CacheConfig::Global.root().join(models());
        match free_folder(&folder) {
            Ok((folder, lock)) => {
                FOLDER.get_or_init(|| lock);
                config.environment.path = CacheConfig::Directory(folder);
            }
            Err(error) => {
                tracing::warn!(
                    "{}: compiled kernels are not kept: {error}",
                    folder.display()
                );
                config.compilation.cache = false;
                config.autotune.disable_cache = true;
            }
        }
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
        tracing::warn!("compiled kernels are not kept: CubeCL was configured before");
    }
}

/// Runs a kernel and checks its result: a missing compiler or driver library shows in no other way than
/// a panic on another thread, or a wrong value. `not_started` says what a panic means.
///
/// # Errors
/// When the kernel does not run, or its result is wrong.
pub(crate) fn test_kernel(
    choice: DeviceChoice,
    device: &Device,
    not_started: &str,
) -> Result<(), BackendError> {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let outcome = std::panic::catch_unwind(|| {
        let ones = Tensor::<1>::from_floats([1.0, 2.0, 3.0], device);
        (ones + 1.0).try_into_vec_as::<f32>()
    });
    std::panic::set_hook(hook);
    let what = match outcome {
        Ok(Ok(values)) if values == [2.0, 3.0, 4.0] => return Ok(()),
        Ok(Ok(values)) => format!("gave {values:?}, expected [2.0, 3.0, 4.0]"),
        Ok(Err(error)) => match DeviceError::from_reason(format!("{error:?}")) {
            DeviceError::OutOfMemory(reason) => format!("ran out of memory: {reason}"),
            DeviceError::Failed(reason) => format!("failed: {reason}"),
        },
        Err(_) => format!("did not start: {not_started}"),
    };
    Err(BackendError::TestKernel {
        device: choice,
        what,
    })
}
