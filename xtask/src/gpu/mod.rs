//! A device beside the CPU: `gpu-check` tests it, `gpu-report` measures it too, from a bundle that a machine without
//! Rust and network can run.

mod binaries;
mod bundle;
mod flags;
mod parts;
mod report;
mod run;
mod software;

use std::process::{Command, ExitCode};

use anyhow::bail;

use crate::cargo::{exit_code, root, status};

use binaries::Tests;
use flags::Flags;

/// The features of a build that runs on every device, and in several processes: what CI checks.
pub(crate) const EVERY_BACKEND: &str = "bert-cli/cuda,bert-cli/wgpu,bert-cli/mpi";
/// The features of a build that runs on every device.
const EVERY_DEVICE: &str = "bert-cli/cuda,bert-cli/wgpu";

/// Tests of a minute: every gradient of every head, outputs and dropout masks, beside the CPU's.
const QUICK: [Tests; 1] = [Tests {
    target: &["--test", "parity"],
    binary: "parity",
    filter: Some("layers::"),
}];
/// The tests that compare a device with the CPU, with golden files, and kernels with their composition.
const COMPARISONS: [Tests; 3] = [
    Tests {
        target: &["--lib"],
        binary: "bert_kernels",
        filter: Some("against_composition"),
    },
    Tests {
        target: &["--test", "parity"],
        binary: "parity",
        filter: None,
    },
    Tests {
        target: &["--test", "model"],
        binary: "model",
        filter: None,
    },
];
/// Every other test of a crate that computes on a device.
const OTHERS: [Tests; 2] = [
    Tests {
        target: &["--test", "training"],
        binary: "training",
        filter: None,
    },
    Tests {
        target: &["--test", "inference"],
        binary: "inference",
        filter: None,
    },
];

const CHECK_HELP: &str = "\
cargo xtask gpu-check --device DEVICE [--software] [--quick | --all]

Runs the tests that compare a device with the CPU, with golden files, and its kernels with plain tensor operations.

  --device DEVICE   cuda, cuda:1, wgpu, wgpu:1 [default: with --software those that are there]
  --software        on a device that the processor stands in for: ../shared/cuda-on-cpu, or Mesa's lavapipe
  --quick           tests of a minute or two: every gradient of every head, outputs, dropout masks
  --all             every test of the crates that compute, not only the comparisons
";

/// Tests a device.
pub(crate) fn check(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let switches = ["--software", "--quick", "--all"];
    let Some(flags) = Flags::parse(arguments, &switches, &["--device"])? else {
        print!("{CHECK_HELP}");
        return Ok(ExitCode::SUCCESS);
    };
    let is_software = flags.has("--software");
    let devices = match flags.value("--device") {
        Some(device) => vec![device],
        None if is_software => match software::devices() {
            (found, missing) if found.is_empty() => bail!("--software: {}", missing.join("; ")),
            (found, _) => found,
        },
        None => bail!("--device is missing, expected cuda or wgpu"),
    };
    let tests: Vec<&Tests> = match (flags.has("--quick"), flags.has("--all")) {
        (true, true) => bail!("found --quick and --all, expected one of them"),
        (true, false) => QUICK.iter().collect(),
        (false, false) => COMPARISONS.iter().collect(),
        (false, true) => COMPARISONS.iter().chain(&OTHERS).collect(),
    };
    let variables = devices
        .iter()
        .map(|device| software::variables(device, is_software))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let binaries = binaries::build(&tests, EVERY_DEVICE, "dev")?;
    let mut code = ExitCode::SUCCESS;
    for (device, variables) in devices.iter().zip(variables) {
        for (tests, binary) in tests.iter().zip(&binaries) {
            let mut command = Command::new(binary);
            command
                .arg("--nocapture")
                .args(tests.filter)
                .current_dir(root())
                .envs(variables.iter().cloned())
                .env("BERT_REPOSITORY", root())
                .env("BERT_TEST_DEVICE", device)
                // A device has one memory and one queue.
                .env("RUST_TEST_THREADS", "1");
            let ended = status(&mut command)?;
            if !ended.success() {
                code = exit_code(ended);
            }
        }
    }
    Ok(code)
}

pub(crate) use report::report;
