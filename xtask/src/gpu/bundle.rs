//! A folder with everything that a report needs: the program, test binaries, data, and a script.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use super::binaries::{self, Tests};
use super::software::{copy, make_executable};
use super::{COMPARISONS, EVERY_DEVICE};
use crate::cargo::{cargo, root, status, target_dir};

/// The repository's part of a bundle; the other is `shared` beside it.
pub(super) const REPOSITORY: &str = "repository";
/// The programs of a bundle.
pub(super) const PROGRAMS: &str = "programs";

/// Data of the repository that the tests read.
const DATA: [&str; 2] = ["data/demo", "tests/golden"];
/// Files beside the checkout, where they are there.
const SHARED: [&str; 3] = [
    "bench",
    "models/minilm-l6-squad",
    "data/squad/dev-v1.1.json",
];

const SCRIPT: &str = "\
#!/bin/sh
# Measures the GPU of this machine: ./run.sh [--device cuda] [--out DIR]. It needs neither Rust nor a network.
here=$(cd \"$(dirname \"$0\")\" && pwd)
exec \"$here/programs/xtask\" gpu-report --bundle \"$here\" \"$@\"
";

/// Builds the programs for a device in a profile and fills the folder `target/gpu-bundle`.
///
/// # Errors
/// When something cannot be built or copied.
pub(super) fn build(device: &str, profile: &str) -> anyhow::Result<PathBuf> {
    let backend = device.split(':').next().unwrap_or(device);
    // A rehearsal uses what `gpu-check` has built.
    let features = match profile {
        "dev" => EVERY_DEVICE.to_owned(),
        _ => format!("bert-cli/{backend}"),
    };
    let dir = target_dir().join("gpu-bundle");
    let programs = dir.join(PROGRAMS);
    fs::create_dir_all(&programs).with_context(|| format!("{}", programs.display()))?;
    let every = ["--workspace", "--features", &features, "--profile", profile];
    let built = status(cargo().arg("build").args(every).args(["--bin", "bert"]))?;
    if !built.success() {
        bail!("gpu-report: bert could not be built");
    }
    let folder = if profile == "dev" { "debug" } else { profile };
    put(
        &target_dir().join(folder).join("bert"),
        &programs.join("bert"),
    )?;
    let tests: Vec<&Tests> = COMPARISONS.iter().collect();
    for (tests, binary) in tests
        .iter()
        .zip(binaries::build(&tests, &features, profile)?)
    {
        put(&binary, &programs.join(tests.binary))?;
    }
    let own = std::env::current_exe().context("this program has no path")?;
    put(&own, &programs.join("xtask"))?;
    for data in DATA {
        copy(&root().join(data), &dir.join(REPOSITORY).join(data))?;
    }
    for data in SHARED {
        let (from, to) = (
            root().join("../shared").join(data),
            dir.join("shared").join(data),
        );
        if from.is_dir() {
            copy(&from, &to)?;
        } else if from.is_file() {
            put(&from, &to)?;
        }
    }
    let script = dir.join("run.sh");
    fs::write(&script, SCRIPT).with_context(|| format!("{}", script.display()))?;
    make_executable(&script)?;
    Ok(dir)
}

/// Copies a file; a program without the symbols that nobody reads there.
fn put(from: &Path, to: &Path) -> anyhow::Result<()> {
    let failed = || format!("{}: cannot be copied to {}", from.display(), to.display());
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).with_context(failed)?;
    }
    fs::copy(from, to).with_context(failed)?;
    if to.parent().is_some_and(|parent| parent.ends_with(PROGRAMS)) {
        // Without `strip` the bundle is larger.
        let _ = Command::new("strip").arg(to).status();
    }
    Ok(())
}
