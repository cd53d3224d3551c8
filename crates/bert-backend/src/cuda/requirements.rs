//! What CUDA needs besides a GPU, looked at before the first kernel: a part that is missing would show as a panic on
//! another thread.

use std::ffi::c_int;
use std::fmt;
use std::path::Path;

use cudarc::driver::sys::{CUresult, cuDriverGetVersion};
use cudarc::nvrtc::sys as nvrtc;

use crate::BackendError;

/// The oldest CUDA whose driver and toolkit will do. `.cargo/config.toml` builds for it.
const OLDEST: Version = Version(12_040);

/// A version as CUDA counts it: 12.4 is 12040.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version(c_int);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 / 1000, self.0 % 1000 / 10)
    }
}

/// Checks the driver, the compiler and its headers.
///
/// # Errors
/// [`BackendError::Missing`] with the first that is missing or too old.
pub(super) fn check() -> Result<(), BackendError> {
    check_driver(driver())?;
    check_headers(cubecl_cuda::install::cuda_path().as_deref())?;
    check_compiler(compiler())
}

/// The newest CUDA that the driver runs; `None` where it does not say.
fn driver() -> Option<Version> {
    let mut version = 0;
    // SAFETY: the call writes a number to the place that it is given.
    let status = unsafe { cuDriverGetVersion(&raw mut version) };
    (status == CUresult::CUDA_SUCCESS).then_some(Version(version))
}

fn check_driver(found: Option<Version>) -> Result<(), BackendError> {
    match found {
        Some(found) if found < OLDEST => Err(BackendError::Missing {
            found: format!("an NVIDIA driver for CUDA {found}"),
            expected: format!("one for CUDA {OLDEST} or newer (driver 550)"),
        }),
        _ => Ok(()),
    }
}

/// The version of NVRTC; `None` where its library is not found.
fn compiler() -> Option<Version> {
    // SAFETY: the call loads a library, whose initialisation is NVIDIA's.
    if !unsafe { nvrtc::is_culib_present() } {
        return None;
    }
    let (mut major, mut minor) = (0, 0);
    // SAFETY: the call writes numbers to the places that it is given.
    let status = unsafe { nvrtc::nvrtcVersion(&raw mut major, &raw mut minor) };
    (status == nvrtc::nvrtcResult::NVRTC_SUCCESS).then_some(Version(1000 * major + 10 * minor))
}

fn check_compiler(found: Option<Version>) -> Result<(), BackendError> {
    let found = match found {
        None => "no library nvrtc, with which kernels are compiled".to_owned(),
        Some(found) if found < OLDEST => format!("NVRTC {found}"),
        Some(_) => return Ok(()),
    };
    Err(BackendError::Missing {
        found,
        expected: format!("that of a CUDA toolkit {OLDEST} or newer, where the loader finds it"),
    })
}

/// Kernels include these, and what they include.
const HEADERS: [&str; 3] = ["cuda_fp16.h", "cuda_bf16.h", "mma.h"];
/// What the toolkit's `mma.h` includes, and packages that have no more than the runtime's headers lack.
const OF_MMA: &str = "crt/mma.h";

fn check_headers(toolkit: Option<&Path>) -> Result<(), BackendError> {
    let expected = || "the headers of a CUDA toolkit under CUDA_PATH or /usr/local/cuda".to_owned();
    let Some(include) = toolkit.map(|toolkit| toolkit.join("include")) else {
        return Err(BackendError::Missing {
            found: "no CUDA toolkit".to_owned(),
            expected: expected(),
        });
    };
    let mma = std::fs::read_to_string(include.join("mma.h")).unwrap_or_default();
    let of_mma = mma.contains(OF_MMA).then_some(OF_MMA);
    match HEADERS
        .into_iter()
        .chain(of_mma)
        .find(|header| !include.join(header).is_file())
    {
        None => Ok(()),
        Some(header) => Err(BackendError::Missing {
            found: format!("no {}", include.join(header).display()),
            expected: expected(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(outcome: Result<(), BackendError>) -> String {
        outcome.map_or_else(|error| error.to_string(), |()| "fine".to_owned())
    }

    #[test]
    fn what_is_too_old_is_named_with_what_is_needed() {
        assert_eq!(
            said(check_driver(Some(Version(12_020)))),
            "`device`: found an NVIDIA driver for CUDA 12.2, expected one for CUDA 12.4 or newer (driver 550)"
        );
        assert_eq!(said(check_driver(Some(Version(13_000)))), "fine");
        assert!(said(check_compiler(Some(Version(11_080)))).contains("found NVRTC 11.8"));
        assert!(said(check_compiler(None)).contains("found no library nvrtc"));
        assert_eq!(said(check_compiler(Some(OLDEST))), "fine");
    }

    #[test]
    fn a_toolkit_has_all_headers_that_kernels_include() {
        let toolkit = tempfile::tempdir().unwrap();
        let include = toolkit.path().join("include");
        std::fs::create_dir(&include).unwrap();
        let check = || said(check_headers(Some(toolkit.path())));
        assert!(said(check_headers(None)).contains("found no CUDA toolkit"));
        for header in ["cuda_fp16.h", "cuda_bf16.h"] {
            assert!(
                check().contains(&format!("include/{header}")),
                "{}",
                check()
            );
            std::fs::write(include.join(header), "").unwrap();
        }
        std::fs::write(include.join("mma.h"), "#include \"crt/mma.h\"\n").unwrap();
        assert!(check().contains("include/crt/mma.h"), "{}", check());
        std::fs::create_dir(include.join("crt")).unwrap();
        std::fs::write(include.join("crt/mma.h"), "").unwrap();
        assert_eq!(check(), "fine");
    }
}
