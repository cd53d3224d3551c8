//! The benchmarks of every crate, each a table of divan's.

use std::process::ExitCode;

use crate::cargo::{cargo_for_this_cpu, status};

/// Package and benchmark, cheapest first.
const BENCHES: [(&str, &str); 4] = [
    ("bert-features", "conversion"),
    ("bert-metrics", "evaluator"),
    ("bert-prediction", "n_best"),
    ("bert-kernels", "kernels"),
];

/// Runs the benchmarks whose name contains the first argument; the others go to divan.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let (filter, rest) = match arguments.split_first() {
        Some((first, rest)) if !first.starts_with('-') => (first.as_str(), rest),
        _ => ("", arguments),
    };
    let chosen: Vec<_> = BENCHES
        .iter()
        .filter(|(_, bench)| bench.contains(filter))
        .collect();
    if chosen.is_empty() {
        let names: Vec<&str> = BENCHES.iter().map(|(_, bench)| *bench).collect();
        eprintln!(
            "error: bench: found {filter:?}, expected a part of {}",
            names.join(", ")
        );
        return Ok(ExitCode::from(2));
    }
    for (package, bench) in chosen {
        let mut cargo = cargo_for_this_cpu();
        cargo
            .args(["bench", "--package", package, "--bench", bench, "--"])
            .args(rest);
        let done = status(&mut cargo)?;
        if !done.success() {
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}
