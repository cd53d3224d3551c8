//! Cargo's subcommands that chores run: installed below the build folder, once a version.

use std::path::PathBuf;
use std::process::{Command, ExitStatus};

use anyhow::bail;

use crate::cargo::{cargo, root, status, target_dir};

/// A package of crates.io whose binary has its name.
#[derive(Debug)]
pub(crate) struct Tool {
    name: &'static str,
    version: &'static str,
    /// Flags of the installation.
    flags: &'static [&'static str],
}

/// For a tool whose build takes longer than all that it ever does.
const UNOPTIMISED: &str = "--debug";

/// Checks licences, sources and versions of dependencies by `deny.toml`.
pub(crate) const DENY: Tool = Tool {
    name: "cargo-deny",
    version: "0.20.2",
    // Its defaults serve the advisories, which CI does not check.
    flags: &[UNOPTIMISED, "--no-default-features"],
};

/// Lists the licences of what is linked. It compares every text with every known licence, for which it is optimised.
pub(crate) const ABOUT: Tool = Tool {
    name: "cargo-about",
    version: "0.9.3",
    flags: &["--features", "cli"],
};

impl Tool {
    /// Runs the tool in the workspace's root, after installing it where this version is not there.
    pub(crate) fn run(&self, arguments: &[&str]) -> anyhow::Result<ExitStatus> {
        if !self.is_installed() {
            self.install()?;
        }
        let mut tool = Command::new(self.binary());
        tool.args(arguments).current_dir(root());
        status(&mut tool)
    }

    fn folder() -> PathBuf {
        target_dir().join("tools")
    }

    fn binary(&self) -> PathBuf {
        Self::folder().join("bin").join(self.name)
    }

    fn is_installed(&self) -> bool {
        Command::new(self.binary())
            .arg("--version")
            .output()
            .is_ok_and(|output| {
                let text = String::from_utf8_lossy(&output.stdout);
                text.split_whitespace().any(|word| word == self.version)
            })
    }

    fn install(&self) -> anyhow::Result<()> {
        let Self {
            name,
            version,
            flags,
        } = self;
        let mut cargo = cargo();
        cargo
            .args(["install", "--quiet", "--locked", name])
            .args(["--version", version])
            .args(*flags)
            .arg("--root")
            .arg(Self::folder());
        if !status(&mut cargo)?.success() {
            bail!("{name} {version} could not be installed from crates.io");
        }
        Ok(())
    }
}
