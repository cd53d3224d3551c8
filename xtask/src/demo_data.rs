//! The bundled demo data, written again by its generator.

use std::process::ExitCode;

use crate::cargo::{cargo, exit_code, status};

/// Runs the generator; arguments go to it.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let mut cargo = cargo();
    cargo
        .args(["run", "--quiet", "--package", "bert-demo-data", "--"])
        .args(arguments);
    Ok(exit_code(status(&mut cargo)?))
}
