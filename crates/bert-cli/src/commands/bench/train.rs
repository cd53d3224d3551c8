//! `bench-train`: the time of a training step on random weights.

use bert_backend::{BURN_VERSION, Backend};
use bert_features::synthetic::SHORTEST_WINDOW;
use bert_finetune::{Compute, residency};
use bert_training::optimizer::Residency;
use serde_json::{Value, json};

use super::lengths::{self, PADDED};
use super::workload::{SWAG, Steps};
use super::{against, check_counts};
use crate::args::{BenchTrainArgs, Workload};
use crate::exit::bad_usage;
use crate::resolve;

/// Runs the benchmark, and the other program's, and prints both and their ratio.
///
/// # Errors
/// When a flag or a file is bad, the device fails, or the other program does.
pub(crate) fn run(args: &BenchTrainArgs) -> anyhow::Result<()> {
    let (batch, seq_length) = shape(args)?;
    let lengths: Vec<usize> = match args.workload {
        Workload::Lengths => {
            let Some(path) = &args.lengths else {
                bad_usage!("--lengths is missing, expected a file with one window's length a line");
            };
            let lengths = lengths::read(path)?;
            let needed = (args.steps + args.warmup) * batch;
            lengths.iter().copied().cycle().take(needed).collect()
        }
        Workload::Squad | Workload::Swag => Vec::new(),
    };
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
    against::compare(args.rounds, args.against.as_deref(), || {
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
        Ok(value)
    })
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
    check_counts(&[
        ("--steps", args.steps, 1),
        ("--warmup", args.warmup, 0),
        ("--batch", batch, 1),
        ("--rounds", args.rounds, 1),
    ])?;
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
        "model": args.model.name(),
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
