//! A device beside the CPU: `gpu-check` tests it, `gpu-report` measures it too, from a bundle that a machine without
//! Rust and network can run.

mod bundle;
mod flags;
mod parts;
mod report;
mod run;
mod software;

use std::process::ExitCode;

use anyhow::bail;

use crate::cargo::{cargo, exit_code, status};

use flags::Flags;

/// The features of a build that runs on every device.
pub(crate) const EVERY_BACKEND: &str = "bert-cli/cuda,bert-cli/wgpu";

/// The tests that compare a device with the CPU and with the golden files.
const QUICK: [&str; 2] = ["parity", "model"];
/// Those, and every other test of a crate that computes on a device.
const ALL: [&str; 4] = ["parity", "model", "training", "inference"];

const CHECK_HELP: &str = "\
cargo xtask gpu-check --device DEVICE [--software] [--all]

Runs the tests that compare a device with the CPU and with golden files.

  --device DEVICE   cuda, cuda:1, wgpu, wgpu:1
  --software        on a device that the processor stands in for: ../shared/cuda-on-cpu, or Mesa's lavapipe
  --all             every test of the crates that compute, not only the comparisons
";

/// Tests a device.
pub(crate) fn check(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let Some(flags) = Flags::parse(arguments, &["--software", "--all"], &["--device"])? else {
        print!("{CHECK_HELP}");
        return Ok(ExitCode::SUCCESS);
    };
    let Some(device) = flags.value("--device") else {
        bail!("--device is missing, expected cuda or wgpu");
    };
    let variables = software::variables(device, flags.has("--software"))?;
    let targets: &[&str] = if flags.has("--all") { &ALL } else { &QUICK };
    let mut command = cargo();
    command.args(["test", "--workspace", "--features", EVERY_BACKEND]);
    for target in targets {
        command.args(["--test", target]);
    }
    command
        .envs(variables)
        .env("BERT_TEST_DEVICE", device)
        // A device has one memory and one queue.
        .env("RUST_TEST_THREADS", "1");
    Ok(exit_code(status(command.args(["--", "--nocapture"]))?))
}

pub(crate) use report::report;
