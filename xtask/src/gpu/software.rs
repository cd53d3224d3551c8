//! Devices that the processor stands in for: what passes on them is no word on a GPU's speed.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::cargo::{root, status, target_dir};

/// The driver of Mesa's lavapipe, as Debian's `mesa-vulkan-drivers` has it.
const LAVAPIPE: &str = "/usr/share/vulkan/icd.d/lvp_icd.json";
/// The same, as Debian 12 names it on 64-bit PCs.
const LAVAPIPE_X86: &str = "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json";

/// Whether the software CUDA device stands beside the checkout.
fn has_cuda() -> bool {
    cuda_source().join("build.sh").is_file()
}

/// The software devices of this machine, and for each one that is missing what was looked for.
pub(super) fn devices() -> (Vec<&'static str>, Vec<String>) {
    let mut found = Vec::new();
    let mut missing = Vec::new();
    match lavapipe() {
        Some(_) => found.push("wgpu"),
        None => missing.push(format!(
            "found no {LAVAPIPE}, expected Debian's mesa-vulkan-drivers"
        )),
    }
    if has_cuda() {
        found.push("cuda");
    } else {
        missing.push(format!("found no {}", cuda_source().display()));
    }
    (found, missing)
}

/// The variables with which a process finds the device; none for a real one.
///
/// # Errors
/// When there is no software device of that kind, or it cannot be built.
pub(super) fn variables(device: &str, software: bool) -> anyhow::Result<Vec<(String, OsString)>> {
    let kind = device.split(':').next().unwrap_or_default();
    match (kind, software) {
        ("cuda" | "wgpu", false) => Ok(Vec::new()),
        ("cuda", true) => cuda(),
        ("wgpu", true) => wgpu(),
        _ => {
            bail!("--device: found {device:?}, expected cuda or wgpu, with a number after a colon")
        }
    }
}

fn cuda_source() -> PathBuf {
    root().join("../shared/cuda-on-cpu")
}

/// Copies the device, builds it where that has not been done, and keeps its kernels beside it.
fn cuda() -> anyhow::Result<Vec<(String, OsString)>> {
    if !has_cuda() {
        bail!(
            "--software: found no {}, expected the software CUDA device",
            cuda_source().display()
        );
    }
    let dir = target_dir().join("cuda-on-cpu");
    let compiler = dir.join("compiler");
    if !compiler.is_file() {
        copy(&cuda_source(), &dir)?;
        // Its driver and runtime compiler, and its NCCL.
        for script in ["build.sh", "build-nccl.sh"] {
            let built = status(Command::new("sh").arg(script).current_dir(&dir))?;
            if !built.success() {
                bail!("{}: {script} failed", dir.display());
            }
        }
        write_compiler(&compiler)?;
    }
    let mut libraries = OsString::from(dir.join("lib"));
    if let Some(others) = std::env::var_os("LD_LIBRARY_PATH") {
        libraries.push(":");
        libraries.push(others);
    }
    Ok(vec![
        ("LD_LIBRARY_PATH".to_owned(), libraries),
        ("CUDA_PATH".to_owned(), dir.clone().into()),
        ("CUDA_ON_CPU_CACHE".to_owned(), dir.join("kernels").into()),
        ("CUDA_ON_CPU_CXX".to_owned(), compiler.into()),
        ("XDG_CACHE_HOME".to_owned(), dir.join("cache").into()),
        ("BERT_SOFTWARE_DEVICE".to_owned(), "1".into()),
        // For what several GPUs do.
        ("CUDA_ON_CPU_DEVICES".to_owned(), "2".into()),
        // Trying every candidate on a processor takes hours.
        ("CUBECL_AUTOTUNE_LEVEL".to_owned(), "minimal".into()),
    ])
}

/// Writes the compiler of kernels: g++ 12 places some kernels' variables in the red zone at addresses that their vector
/// instructions do not take.
fn write_compiler(path: &Path) -> anyhow::Result<()> {
    let failed = || format!("{}: cannot be written", path.display());
    fs::write(path, "#!/bin/sh\nexec g++ \"$@\" -mno-red-zone\n").with_context(failed)?;
    make_executable(path)
}

fn lavapipe() -> Option<&'static str> {
    let paths = [LAVAPIPE, LAVAPIPE_X86];
    paths.into_iter().find(|path| Path::new(path).is_file())
}

fn wgpu() -> anyhow::Result<Vec<(String, OsString)>> {
    let Some(driver) = lavapipe() else {
        bail!("--software: found no {LAVAPIPE}, expected Debian's mesa-vulkan-drivers");
    };
    let cache = target_dir().join("lavapipe");
    Ok(vec![
        ("VK_DRIVER_FILES".to_owned(), driver.into()),
        ("VK_ICD_FILENAMES".to_owned(), driver.into()),
        ("XDG_CACHE_HOME".to_owned(), cache.into()),
        // Mesa says on stderr that it is missing.
        ("XDG_RUNTIME_DIR".to_owned(), runtime_dir()),
        ("BERT_SOFTWARE_DEVICE".to_owned(), "1".into()),
        ("CUBECL_AUTOTUNE_LEVEL".to_owned(), "minimal".into()),
    ])
}

/// The user's, or else one that is always there.
fn runtime_dir() -> OsString {
    let own = std::env::var_os("XDG_RUNTIME_DIR");
    own.unwrap_or_else(|| std::env::temp_dir().into())
}

/// Lets a file be run as a program.
///
/// # Errors
/// When its mode cannot be changed.
pub(super) fn make_executable(path: &Path) -> anyhow::Result<()> {
    let made = status(Command::new("chmod").arg("+x").arg(path))?;
    if !made.success() {
        bail!("{}: cannot be made executable", path.display());
    }
    Ok(())
}

/// Copies a folder and what is in it; what is copied can be written.
///
/// # Errors
/// When something cannot be read or written.
pub(super) fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let failed = |path: &Path| format!("{}: cannot be copied", path.display());
    fs::create_dir_all(to).with_context(|| failed(to))?;
    for entry in fs::read_dir(from).with_context(|| failed(from))? {
        let entry = entry.with_context(|| failed(from))?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &target)?;
        } else {
            let bytes = fs::read(&path).with_context(|| failed(&path))?;
            fs::write(&target, bytes).with_context(|| failed(&target))?;
        }
    }
    Ok(())
}
