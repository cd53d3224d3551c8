//! Tests that need something which not every machine has: a browser, data beside the checkout, the right to mount,
//! instructions.
//!
//! Such a test calls [`skip`] and returns. Each skip is one line on stderr and, where [`LIST_VARIABLE`] names a file, one
//! line in it, which `cargo xtask ci` prints at its end. Where `CI=true`, a test fails instead if CI has to have what is
//! missing ([`Prerequisite::is_required_in_ci`]).
//!
//! A [`Workspace`] is what tests of whole runs share, be they of the library or of the binary.

mod workspace;

use std::env;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

pub use workspace::{Workspace, copy, json, names, small_swag};

/// The variable that names the file of skips. `cargo xtask ci` sets it.
pub const LIST_VARIABLE: &str = "BERT_SKIPPED_TESTS";

/// What a test may need and not find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prerequisite {
    /// `chromium` and `chromedriver`.
    Browser,
    /// Files of the folder `shared` beside the checkout.
    SharedFiles,
    /// The right to mount a file system, which a container may lack.
    Mount,
    /// A processor with AVX512-BF16.
    Bf16,
    /// `mpirun`.
    Mpi,
    /// Two GPUs.
    Gpus,
    /// The right to make network namespaces, which a container may lack.
    Namespaces,
    /// The library of ONNX Runtime, which `ORT_DYLIB_PATH` names.
    OnnxRuntime,
    /// A Python with clients of the server's protocols.
    Clients,
    /// The archives of `cargo xtask dist`, and docker or podman, which a container may lack.
    Containers,
}

impl Prerequisite {
    /// Whether CI fails without it: `.ci/run` installs programs and libraries, and a folder `shared` that stands beside the
    /// checkout is complete. Nothing can give a container the right to mount, to make networks or to run containers, a processor
    /// instructions, or a machine GPUs.
    #[must_use]
    pub fn is_required_in_ci(self) -> bool {
        match self {
            Self::Browser | Self::Mpi | Self::OnnxRuntime | Self::Clients => true,
            Self::SharedFiles => shared_folder().is_dir(),
            Self::Mount | Self::Bf16 | Self::Gpus | Self::Namespaces | Self::Containers => false,
        }
    }
}

/// Says that the test which calls this is skipped, and why. The caller returns.
///
/// # Panics
///
/// Panics where `CI=true` and CI has to have the prerequisite.
#[track_caller]
pub fn skip(prerequisite: Prerequisite, reason: &str) {
    let is_ci = env::var("CI").is_ok_and(|value| value == "true" || value == "1");
    assert!(
        !(is_ci && prerequisite.is_required_in_ci()),
        "{reason}; with CI=true this test must run"
    );
    // The test harness names a test's thread after the test, and cargo tells the test its package.
    let thread = thread::current();
    let test = thread.name().unwrap_or("a test");
    let package = env::var("CARGO_PKG_NAME").unwrap_or_else(|_| "a package".to_owned());
    let line = format!("skipped: {package} {test}: {reason}");
    eprintln!("{line}");
    if let Some(list) = env::var_os(LIST_VARIABLE) {
        note(Path::new(&list), &line);
    }
}

/// A file of the folder `shared` beside the checkout; where it is missing, the test is skipped.
///
/// # Panics
///
/// Those of [`skip`].
#[track_caller]
#[must_use]
pub fn shared_file(path: &str) -> Option<PathBuf> {
    let file = shared_folder().join(path);
    if file.exists() {
        return Some(file);
    }
    skip(
        Prerequisite::SharedFiles,
        &format!("found no {}", file.display()),
    );
    None
}

/// The repository's root. Where a test runs on a machine that it was not built on, the variable `BERT_REPOSITORY` says
/// where its files are.
#[must_use]
pub fn repository() -> PathBuf {
    match env::var_os("BERT_REPOSITORY") {
        Some(root) => PathBuf::from(root),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."),
    }
}

/// Compiles one file of Rust to a library for `LD_PRELOAD`, in a folder; its path.
///
/// # Panics
///
/// Panics where the compiler refuses it.
#[must_use]
pub fn compile_library(source: &Path, dir: &Path) -> PathBuf {
    let library = dir.join("libpreloaded.so");
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let built = Command::new(rustc)
        .args([
            "--edition=2024",
            "--crate-type=cdylib",
            "-Cpanic=abort",
            "-o",
        ])
        .args([&library, source])
        .output()
        .unwrap_or_else(|error| panic!("rustc does not run: {error}"));
    let stderr = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "{stderr}");
    library
}

/// The variable that names the device of tests of devices.
pub const DEVICE_VARIABLE: &str = "BERT_TEST_DEVICE";

/// The device that a test of devices runs on, such as `cuda` or `wgpu:1`: the variable `BERT_TEST_DEVICE`, else `cpu`.
#[must_use]
pub fn device_name() -> String {
    env::var(DEVICE_VARIABLE).unwrap_or_else(|_| "cpu".to_owned())
}

fn shared_folder() -> PathBuf {
    repository().join("../shared")
}

/// Appends a line at once, so that tests of several processes do not mix.
fn note(list: &Path, line: &str) {
    let written = list
        .parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| File::options().append(true).create(true).open(list))
        .and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
    written.unwrap_or_else(|error| panic!("{}: cannot be written: {error}", list.display()));
}
