//! Cargo as a child process.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::Context;

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_owned()
}

/// The folder of build products.
pub(crate) fn target_dir() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        // Cargo runs in the root and takes a relative path from there.
        Some(dir) => root().join(dir),
        None => root().join("target"),
    }
}

/// `cargo` in the workspace's root.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// `cargo`, generating code for this machine's processor.
pub(crate) fn cargo_for_this_cpu() -> Command {
    let mut flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    if !flags.contains("target-cpu") {
        flags.push_str(" -C target-cpu=native");
    }
    let mut command = cargo();
    command.env("RUSTFLAGS", flags.trim());
    command
}

/// Runs a command to its end.
pub(crate) fn status(command: &mut Command) -> anyhow::Result<ExitStatus> {
    let program = command.get_program().to_string_lossy().into_owned();
    command
        .status()
        .with_context(|| format!("{program} could not be started"))
}

/// A child's exit code as ours; 1 where a signal ended it.
pub(crate) fn exit_code(status: ExitStatus) -> ExitCode {
    match status.code() {
        Some(code) => ExitCode::from(u8::try_from(code).unwrap_or(1)),
        None => ExitCode::FAILURE,
    }
}
