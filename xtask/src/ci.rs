//! What CI runs, cheapest first; the first failure ends it.

use std::process::ExitCode;
use std::time::Instant;

use crate::cargo::{cargo, exit_code, status};

const STEPS: [(&str, &[&str], &[(&str, &str)]); 5] = [
    ("formatting", &["fmt", "--all", "--check"], &[]),
    (
        "lints",
        &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"],
        &[],
    ),
    ("tests", &["test", "--workspace"], &[]),
    (
        "documentation",
        &["doc", "--workspace", "--no-deps"],
        &[("RUSTDOCFLAGS", "-D warnings")],
    ),
    (
        "the CUDA backend",
        &["check", "--package", "bert-cli", "--features", "cuda"],
        &[],
    ),
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
            return Ok(exit_code(done));
        }
        println!("── {name}: {:.0} s", started.elapsed().as_secs_f64());
    }
    Ok(ExitCode::SUCCESS)
}
