//! `bench-train`: the time of a training step on random weights, as a line of JSON, and beside another program's.

mod against;
mod workload;

use std::io::Write;

use bert_backend::{BURN_VERSION, Backend};
use bert_features::synthetic::SHORTEST_WINDOW;
use bert_finetune::{Compute, residency};
use bert_training::optimizer::Residency;
use serde_json::{Value, json};
use tracing::info;

use self::workload::{PADDED, SWAG, Steps};
use crate::args::{BenchTrainArgs, ModelShape, Workload};
use crate::exit::bad_usage;
use crate::resolve;

/// The largest count that a flag may ask for.
const MOST: usize = 100_000;

/// Runs the benchmark, and the other program's, and prints both and their ratio.
///
/// # Errors
/// When a flag or a file is bad, the device fails, or the other program does.
pub(crate) fn run(args: &BenchTrainArgs) -> anyhow::Result<()> {
    let (batch, seq_length) = shape(args)?;
    let lengths = workload::lengths(args, batch)?;
    let compute = resolve::compute(&args.device)?;
    let backend = Backend::open(compute.device)?;
    let residency = residency(backend.kind(), args.optimize_on_cpu);
    let steps = Steps {
        args,
        batch,
        seq_length,
        residency,
        precision: compute.precision,
        backend: &backend,
    };
    let mut ours = Vec::new();
    let mut theirs = Vec::new();
    let mut failure = None;
    for round in 0..args.rounds {
        if args.rounds > 1 {
            info!("round {} of {}", round + 1, args.rounds);
        }
        let mut value = settings(&steps, &compute);
        let measured = match args.workload {
            Workload::Squad | Workload::Swag => {
                let mut measured = steps.fixed()?;
                measured["burn"] = json!(BURN_VERSION);
                // The pools of a device's memory never shrink: what is used now is the most that was.
                let memory = compute.device.memory();
                let name = compute.device.name();
                let name = name.unwrap_or_else(|| compute.device.to_string());
                measured["device_name"] = json!(name);
                let used = memory.and_then(|memory| memory.used);
                measured["peak_mib"] = json!(used.map(|bytes| bytes >> 20));
                measured
            }
            Workload::Lengths => steps.lengths(&lengths)?,
        };
        if let (Value::Object(value), Value::Object(measured)) = (&mut value, measured) {
            value.extend(measured);
        }
        ours.push(value);
        match args.against.as_deref().map(against::run).transpose() {
            Ok(value) => theirs.extend(value),
            Err(error) => {
                // What was measured is printed all the same.
                failure = Some(error);
                break;
            }
        }
    }
    let ours = against::median(&ours);
    let mut out = std::io::stdout().lock();
    writeln!(out, "{ours}")?;
    if let Some(error) = failure {
        return Err(error);
    }
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

/// The examples of a step and the tokens of a row.
///
/// # Errors
/// When a number is out of its range, or a flag does not belong to the workload.
fn shape(args: &BenchTrainArgs) -> anyhow::Result<(usize, usize)> {
    let name = match args.workload {
        Workload::Squad => "squad",
        Workload::Swag => "swag",
        Workload::Lengths => "lengths",
    };
    for (flag, given, belongs) in [
        (
            "--batch",
            args.batch.is_some(),
            args.workload != Workload::Swag,
        ),
        (
            "--seq-length",
            args.seq_length.is_some(),
            args.workload == Workload::Squad,
        ),
        (
            "--lengths",
            args.lengths.is_some(),
            args.workload == Workload::Lengths,
        ),
    ] {
        if given && !belongs {
            bad_usage!("{flag}: found it with --workload {name}, which has its own");
        }
    }
    let [examples, _, _, swag_length] = SWAG;
    let (batch, length) = match args.workload {
        Workload::Swag => (examples, swag_length),
        _ => (args.batch.unwrap_or(12), args.seq_length.unwrap_or(PADDED)),
    };
    for (flag, value, least) in [
        ("--steps", args.steps, 1),
        ("--warmup", args.warmup, 0),
        ("--batch", batch, 1),
        ("--rounds", args.rounds, 1),
    ] {
        if !(least..=MOST).contains(&value) {
            bad_usage!("{flag}: found {value}, expected {least} to {MOST}");
        }
    }
    if !(SHORTEST_WINDOW..=512).contains(&length) {
        bad_usage!("--seq-length: found {length}, expected {SHORTEST_WINDOW} to 512");
    }
    Ok((batch, length))
}

/// What was measured, under the names of the PyTorch script.
fn settings(steps: &Steps<'_>, compute: &Compute) -> Value {
    let args = steps.args;
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
        "batch": steps.batch,
        "optimize_on_cpu": steps.residency == Residency::Host,
        "gradient_checkpointing": args.gradient_checkpointing,
    })
}
