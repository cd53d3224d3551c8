//! What CI runs, cheapest first; the first failure ends it.

use std::process::ExitCode;
use std::time::Instant;

use crate::cargo::{cargo, status};

/// A name, cargo's arguments and environment variables. Lints and documentation are made with the CUDA
/// backend too, so that it is known to build without a GPU.
type Step = (
    &'static str,
    &'static [&'static str],
    &'static [(&'static str, &'static str)],
);

const STEPS: [Step; 4] = [
    ("formatting", &["fmt", "--all", "--check"], &[]),
    (
        "lints, with the CUDA backend",
        &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--features",
            "bert-cli/cuda",
            "--",
            "-D",
            "warnings",
        ],
        &[],
    ),
    (
        "documentation",
        &[
            "doc",
            "--workspace",
            "--no-deps",
            "--features",
            "bert-cli/cuda",
        ],
        &[("RUSTDOCFLAGS", "-D warnings")],
    ),
    ("tests", &["test", "--workspace"], &[]),
];

/// Runs every step.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    for (name, arguments, variables) in STEPS {
        println!("── {name}: cargo {}", arguments.join(" "));
        let started = Instant::now();
        let mut cargo = cargo();
        cargo.args(arguments).envs(variables.iter().copied());
        let done = status(&mut cargo)?;
        if !done.success() {
            eprintln!("error: {name} failed");
            return Ok(ExitCode::FAILURE);
        }
        println!("── {name}: {:.0} s", started.elapsed().as_secs_f64());
    }
    Ok(ExitCode::SUCCESS)
}
