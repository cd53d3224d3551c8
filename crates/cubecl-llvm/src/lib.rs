//! Stand-in for CubeCL's LLVM compiler, so that `cubecl-cuda` links without an LLVM installation.
//!
//! It declares what `cubecl-cuda` 0.11.3 names and compiles no kernel. Whatever only a compilation
//! could produce has no value here: the type checker proves that nothing passes for its output. The
//! README gives the reasons.
#![forbid(unsafe_code)]

use core::convert::Infallible;
use cubecl_core::{CompilationError, environment::backtrace::BackTrace};
use cubecl_core::{ir::nvidia::SmArch, prelude::KernelDefinition};
use cubecl_runtime::kernel::BufferIOAttr;

#[cfg(feature = "amdgpu")]
compile_error!("the stand-in for `cubecl-llvm` has no AMD GPUs: see its README.md");

const REASON: &str = "this program was built with a stand-in for CubeCL's LLVM compiler, which \
    cannot compile kernels: rebuild it with the feature `cpp` of `cubecl-cuda`";

/// The machine to emit code for.
#[derive(Clone, Debug)]
pub enum LlvmTarget {
    Nvptx,
}

/// Takes the place of the LLVM compiler and refuses every kernel.
#[derive(Clone, Debug)]
pub struct PlironCompiler {
    pub target: LlvmTarget,
}

impl PlironCompiler {
    /// Refuses any kernel: the error is always the same and says what to do.
    pub fn compile(
        &mut self,
        _: KernelDefinition,
        _: &PlironOptions,
    ) -> Result<PlironArtifact, CompilationError> {
        let (reason, backtrace) = (REASON.into(), BackTrace::capture());
        Err(CompilationError::Generic { reason, backtrace })
    }

    /// A language that no precompiled kernel is written in.
    pub fn lang_tag(&self) -> &'static str {
        "llvm-stand-in"
    }
}

/// What `cubecl-cuda` tells the compiler about a device; nothing reads it.
#[derive(Default)]
pub struct PlironOptions {
    pub arch: Option<Infallible>,
    pub sm_arch: Option<SmArch>,
    pub ptx_version: Option<nvptx::ptx_version::PtxVersion>,
    pub grid_constants: bool,
}

/// A compiled kernel; it has no value.
pub enum PlironArtifact {
    NvptxCode(NvptxModule),
}

/// A compiled PTX module; it has no value.
#[derive(Debug)]
pub struct NvptxModule {
    pub ptx: Vec<core::ffi::c_char>,
    pub ir: String,
    pub shared_memory_size: usize,
    pub io: Vec<BufferIOAttr>,
    _never: Infallible,
}

pub mod nvptx {
    pub mod ptx_version {
        /// A PTX version to emit; it has no value, for nothing is emitted.
        #[derive(Clone, Copy, Debug)]
        pub enum PtxVersion {}
        impl PtxVersion {
            /// The newest version that a driver loads: none, whatever the driver.
            pub fn for_driver(_: i32) -> Option<Self> {
                None
            }
        }
        impl core::fmt::Display for PtxVersion {
            fn fmt(&self, _: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match *self {}
            }
        }
    }
}

pub mod shared {
    pub mod lowered_features {
        pub use crate::LlvmTarget as GpuTarget;
        /// Called as a device is opened, and only where LLVM is to be used: panics with the reason.
        pub fn restrict_features(_: &mut cubecl_core::ir::DeviceProperties, _: GpuTarget) {
            panic!("{}", crate::REASON);
        }
    }
}
