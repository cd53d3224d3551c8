//! `bench-train`: the time of a training step on random weights, as a line of JSON, and beside another program's.

mod against;
mod workload;

use std::io::Write;

use serde_json::{Value, json};
use tracing::info;

use self::workload::Steps;
use crate::args::{BenchTrainArgs, ModelShape, Workload};
use crate::backend;
use crate::exit::bad_usage;
use crate::monitor;
use crate::resolve;

/// Burn's version, which is pinned.
const BURN: &str = "0.22.1";

/// Runs the benchmark, and the other program's, and prints both and their ratio.
///
/// # Errors
/// When a flag or a file is bad, the device fails, or the other program does.
pub(crate) fn run(args: &BenchTrainArgs) -> anyhow::Result<()> {
    for (flag, value) in [
        ("--steps", args.steps),
        ("--batch", args.batch),
        ("--rounds", args.rounds),
    ] {
        if value == 0 {
            bad_usage!("{flag}: found 0, expected at least 1");
        }
    }
    let lengths = workload::lengths(args)?;
    let compute = resolve::compute(&args.device)?;
    let backend = backend::open(compute.device)?;
    let mut ours = Vec::new();
    let mut theirs = Vec::new();
    for round in 0..args.rounds {
        if args.rounds > 1 {
            info!("round {} of {}", round + 1, args.rounds);
        }
        let mut value = settings(args, compute);
        let steps = Steps {
            args,
            precision: compute.precision.into(),
            backend: &backend,
        };
        let measured = match args.workload {
            Workload::Squad | Workload::Swag => {
                let mut measured = steps.fixed()?;
                measured["burn"] = json!(BURN);
                // The pools of a device's memory never shrink: what is used now is the most that was.
                let info = compute.device.cuda_index().map(monitor::device_info);
                measured["device_name"] = match &info {
                    None => json!("cpu"),
                    Some(info) => json!(info.as_ref().map(|info| &info.name)),
                };
                let used = info.flatten().map(|info| info.used >> 20);
                measured["peak_mib"] = json!(used);
                measured
            }
            Workload::Lengths => steps.lengths(&lengths)?,
        };
        if let (Value::Object(value), Value::Object(measured)) = (&mut value, measured) {
            value.extend(measured);
        }
        ours.push(value);
        if let Some(command) = &args.against {
            theirs.push(against::run(command)?);
        }
    }
    let ours = against::median(&ours);
    let mut out = std::io::stdout().lock();
    writeln!(out, "{ours}")?;
    if args.against.is_some() {
        let theirs = against::median(&theirs);
        writeln!(out, "{theirs}")?;
        writeln!(
            out,
            "{}",
            json!({"ratio": against::ratios(&ours, &theirs)?})
        )?;
    }
    Ok(())
}

/// What was asked for, under the names of the PyTorch script.
fn settings(args: &BenchTrainArgs, compute: resolve::Compute) -> Value {
    json!({
        "device": compute.device.to_string(),
        "model": match args.model {
            ModelShape::Tiny => "tiny",
            ModelShape::Minilm => "minilm",
            ModelShape::Base => "base",
            ModelShape::Large => "large",
        },
        "workload": match args.workload {
            Workload::Squad => "squad",
            Workload::Swag => "swag",
            Workload::Lengths => "lengths",
        },
        "precision": compute.precision,
        "compile": false,
        "steps": args.steps,
        "warmup": args.warmup,
        "batch": args.batch,
        "optimize_on_cpu": args.optimize_on_cpu,
        "gradient_checkpointing": args.gradient_checkpointing,
    })
}
