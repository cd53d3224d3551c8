//! A verb of the `bert` binary.

use std::process::{Command, ExitCode};

use crate::backend;
use crate::cargo::{cargo_for_this_cpu, exit_code, root, status, target_dir};

/// Builds the binary and runs it where the user is.
pub(crate) fn run(mut arguments: Vec<String>) -> anyhow::Result<ExitCode> {
    let backend = backend::choose(&mut arguments)?;
    let mut build = cargo_for_this_cpu();
    build.args([
        "build",
        "--release",
        "--package",
        "bert-cli",
        "--no-default-features",
        "--features",
        backend.features(),
    ]);
    build.arg("--target-dir").arg(target_dir());
    if !status(&mut build)?.success() {
        return Ok(ExitCode::FAILURE);
    }
    let mut bert = Command::new(target_dir().join("release/bert"));
    bert.args(arguments);
    if std::env::var_os("BERT_DEMO_DIR").is_none() {
        bert.env("BERT_DEMO_DIR", root().join("data/demo"));
    }
    if std::env::var_os("MIMALLOC_PURGE_DELAY").is_none() {
        // Keep freed memory: a training step asks for the same buffers again and again, and the kernel
        // would clear their pages each time (a fifth of a step on the CPU).
        bert.env("MIMALLOC_PURGE_DELAY", "-1");
    }
    Ok(exit_code(status(&mut bert)?))
}
