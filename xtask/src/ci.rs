//! What CI runs, cheapest first; the first failure ends it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;

use crate::cargo::{cargo, status, target_dir};
use crate::gpu::EVERY_BACKEND;
use crate::licences;

/// The variable by which tests know where to list that they were skipped; see `crates/bert-test-support`.
const SKIPPED_TESTS: &str = "BERT_SKIPPED_TESTS";

/// What a step runs.
enum Run {
    /// Cargo, with environment variables.
    Cargo(
        &'static [&'static str],
        &'static [(&'static str, &'static str)],
    ),
    /// cargo-deny.
    Licences,
}

/// Lints and documentation are made with the backends of GPUs too, which build without one.
const STEPS: [(&str, Run); 5] = [
    ("formatting", Run::Cargo(&["fmt", "--all", "--check"], &[])),
    ("licences and sources", Run::Licences),
    (
        "lints, with every backend",
        Run::Cargo(
            &[
                "clippy",
                "--workspace",
                "--all-targets",
                "--features",
                EVERY_BACKEND,
                "--",
                "-D",
                "warnings",
            ],
            &[],
        ),
    ),
    (
        "documentation",
        Run::Cargo(
            &[
                "doc",
                "--workspace",
                "--no-deps",
                "--features",
                EVERY_BACKEND,
                // With examples, cargo counts the dependencies of tests, so that features are those of the lints.
                "--lib",
                "--bins",
                "--examples",
            ],
            &[("RUSTDOCFLAGS", "-D warnings")],
        ),
    ),
    (
        "tests",
        Run::Cargo(&["test", "--workspace", "--features", "bert-cli/mpi"], &[]),
    ),
];

/// Runs every step, then says which tests were skipped and why.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<ExitCode> {
    if let Some(flag) = arguments.first() {
        anyhow::bail!("ci: found {flag:?}, expected no flag");
    }
    let skipped = target_dir().join("skipped-tests.txt");
    forget(&skipped)?;
    let mut code = ExitCode::SUCCESS;
    for (name, run) in STEPS {
        println!("── {name}: {}", run.shown());
        let started = Instant::now();
        if !run.is_done(&skipped)? {
            eprintln!("error: {name} failed");
            code = ExitCode::FAILURE;
            break;
        }
        println!("── {name}: {:.0} s", started.elapsed().as_secs_f64());
    }
    print!("{}", summary(&read(&skipped)?));
    Ok(code)
}

impl Run {
    fn shown(&self) -> String {
        match self {
            Self::Cargo(arguments, _) => format!("cargo {}", arguments.join(" ")),
            Self::Licences => "cargo-deny".to_owned(),
        }
    }

    /// Whether it succeeds.
    fn is_done(&self, skipped: &Path) -> anyhow::Result<bool> {
        match self {
            Self::Cargo(arguments, variables) => {
                let mut cargo = cargo();
                cargo
                    .args(*arguments)
                    .envs(variables.iter().copied())
                    .env(SKIPPED_TESTS, skipped);
                Ok(status(&mut cargo)?.success())
            }
            Self::Licences => licences::pass(),
        }
    }
}

/// Removes the list of an earlier run.
fn forget(list: &Path) -> anyhow::Result<()> {
    match fs::remove_file(list) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{}: cannot be removed", list.display()))
        }
        _ => Ok(()),
    }
}

/// The list; nothing where no test was skipped.
fn read(list: &Path) -> anyhow::Result<String> {
    match fs::read_to_string(list) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        other => other.with_context(|| format!("{}: cannot be read", list.display())),
    }
}

/// One line for each skipped test, in the order of the alphabet, under a line that counts them.
fn summary(list: &str) -> String {
    let mut tests: BTreeMap<&str, usize> = BTreeMap::new();
    for line in list.lines() {
        *tests.entry(line).or_default() += 1;
    }
    if tests.is_empty() {
        return "── skipped tests: none\n".to_owned();
    }
    let mut text = format!("── skipped tests: {}\n", tests.len());
    for (line, times) in tests {
        let line = line.strip_prefix("skipped: ").unwrap_or(line);
        let again = if times > 1 {
            format!(" ({times} times)")
        } else {
            String::new()
        };
        text.push_str(&format!("   {line}{again}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipped_tests_are_counted_and_sorted() {
        assert_eq!(summary(""), "── skipped tests: none\n");
        let list = "skipped: bert-cli b: found no mount\nskipped: bert-cli a: why\nskipped: bert-cli b: found no mount\n";
        assert_eq!(
            summary(list),
            "── skipped tests: 2\n   bert-cli a: why\n   bert-cli b: found no mount (2 times)\n"
        );
    }
}
