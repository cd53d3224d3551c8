//! `bench-predict`: how many windows of real lengths a model scores in a second.

use std::ops::ControlFlow;
use std::time::Instant;

use bert_backend::{BURN_VERSION, Backend};
use bert_features::synthetic::windows;
use bert_inference::{Alone, InferenceConfig, score_windows};
use bert_model::checkpoint::initialize;
use bert_model::heads::BertForQuestionAnswering;
use serde_json::json;

use super::lengths::{self, PADDED, feature_config};
use super::{against, check_counts, model_config};
use crate::args::BenchPredictArgs;
use crate::commands::prediction::padding;
use crate::resolve;

/// Runs the benchmark, and the other program's, and prints both and their ratio.
///
/// # Errors
/// When a flag or a file is bad, the device fails, or the other program does.
pub(crate) fn run(args: &BenchPredictArgs) -> anyhow::Result<()> {
    check_counts(&[
        ("--windows", args.windows, 1),
        ("--batch", args.batch, 1),
        ("--passes", args.passes, 1),
        ("--rounds", args.rounds, 1),
    ])?;
    let lengths = lengths::read(&args.lengths)?;
    let lengths: Vec<usize> = lengths.into_iter().cycle().take(args.windows).collect();
    let compute = resolve::compute(&args.device)?;
    let backend = Backend::open(compute.device)?;
    let features = windows(&lengths, feature_config(PADDED));
    let model: BertForQuestionAnswering =
        initialize(&model_config(args.model)?, 1, &backend.device);
    let inference = InferenceConfig {
        batch_size: args.batch,
        padding: padding(),
        precision: compute.precision,
        concurrent: backend.concurrent_batches(),
        largest_buffer: backend.largest_buffer(),
    };
    against::compare(args.rounds, args.against.as_deref(), || {
        let mut speeds = Vec::with_capacity(args.passes);
        for _ in 0..args.passes {
            let started = Instant::now();
            let goes_on = |_: usize| ControlFlow::Continue(());
            score_windows(
                &model,
                &features,
                &inference,
                &backend.device,
                &Alone,
                goes_on,
            )?;
            speeds.push(lengths.len() as f64 / started.elapsed().as_secs_f64());
        }
        Ok(json!({
            "device": compute.device.to_string(),
            "model": args.model.name(),
            "precision": compute.precision,
            "windows": lengths.len(),
            "batch": args.batch,
            "passes": args.passes,
            "windows_per_s": against::middle(speeds),
            "burn": BURN_VERSION,
        }))
    })
}
