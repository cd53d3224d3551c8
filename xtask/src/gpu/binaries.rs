//! Test binaries that run on a device.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, bail};

use crate::cargo::{cargo, root};

/// Tests in one binary.
pub(super) struct Tests {
    /// What cargo builds.
    pub(super) target: &'static [&'static str],
    /// The binary's name, without its hash.
    pub(super) binary: &'static str,
    /// Those that are run of it.
    pub(super) filter: Option<&'static str>,
}

/// Builds test binaries in a profile, in one call of cargo: the features of dependencies, and with them what is built
/// anew, depend on all that a call builds.
///
/// # Errors
/// When something cannot be built.
pub(super) fn build(
    tests: &[&Tests],
    features: &str,
    profile: &str,
) -> anyhow::Result<Vec<PathBuf>> {
    let mut command = cargo();
    command.args(["test", "--no-run", "--workspace", "--profile", profile]);
    command.args(["--features", features]);
    for it in tests {
        command.args(it.target);
    }
    // Cargo names the binaries on stderr, after its progress.
    let output = command.stdin(Stdio::null()).output();
    let output = output.context("cargo could not be started")?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("the tests could not be built:\n{said}");
    }
    let paths = tests.iter().map(|it| {
        let path = executable(&said, it.binary);
        let path = path.with_context(|| format!("cargo named no {}:\n{said}", it.binary))?;
        Ok(root().join(path))
    });
    paths.collect()
}

/// The path in cargo's line `Executable tests/parity/main.rs (target/debug/deps/parity-0123)`.
fn executable<'a>(said: &'a str, name: &str) -> Option<&'a str> {
    let lines = said.lines();
    let mut lines = lines.filter(|line| line.trim_start().starts_with("Executable"));
    lines.find_map(|line| {
        let path = line.rsplit_once('(')?.1.trim_end_matches(')');
        let file = Path::new(path).file_name()?.to_str()?;
        (file.rsplit_once('-')?.0 == name).then_some(path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_says_where_a_test_is() {
        let said = "    Finished `test` profile\n  Executable src/lib.rs (target/debug/deps/xtask-02)\n  \
                    Executable tests/parity/main.rs (target/debug/deps/parity-01)\n";
        assert_eq!(
            executable(said, "parity"),
            Some("target/debug/deps/parity-01")
        );
        assert_eq!(executable("error: it does not compile", "parity"), None);
    }
}
