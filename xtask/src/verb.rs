//! A verb of the `bert` binary.

use std::process::{Command, ExitCode};

#[cfg(not(unix))]
use crate::cargo::exit_code;
use crate::cargo::{cargo_for_this_cpu, root, status, target_dir};
use crate::invocation::Invocation;
use crate::{backend, processes};

/// Builds the binary and runs it in the user's folder.
pub(crate) fn run(mut invocation: Invocation) -> anyhow::Result<ExitCode> {
    let backend = backend::choose(&mut invocation)?;
    let processes = processes::choose(&mut invocation)?;
    let mut features = backend.features().to_owned();
    if processes.is_some() {
        features.push_str(",mpi");
    }
    let mut build = cargo_for_this_cpu();
    build.args([
        "build",
        "--release",
        "--package",
        "bert-cli",
        "--no-default-features",
        "--features",
        &features,
    ]);
    build.arg("--target-dir").arg(target_dir());
    if !status(&mut build)?.success() {
        return Ok(ExitCode::FAILURE);
    }
    let mut bert = Command::new(target_dir().join("release/bert"));
    bert.args(invocation.into_arguments());
    // The user may be in another folder than the bundled data and the downloads.
    for (name, folder) in [
        ("BERT_DEMO_DIR", "data/demo"),
        ("BERT_DOWNLOADS_DIR", "data/downloads"),
    ] {
        if std::env::var_os(name).is_none() {
            bert.env(name, root().join(folder));
        }
    }
    match processes {
        Some(processes) => replace_by(processes::start(processes, &bert)),
        None => replace_by(bert),
    }
}

/// Replaces this process by the binary, so that signals reach it.
#[cfg(unix)]
fn replace_by(mut bert: Command) -> anyhow::Result<ExitCode> {
    use std::os::unix::process::CommandExt;

    let error = bert.exec();
    let program = bert.get_program().to_string_lossy();
    Err(anyhow::Error::new(error).context(format!("{program} could not be started")))
}

/// Runs the binary and returns its exit code.
#[cfg(not(unix))]
fn replace_by(mut bert: Command) -> anyhow::Result<ExitCode> {
    Ok(exit_code(status(&mut bert)?))
}
