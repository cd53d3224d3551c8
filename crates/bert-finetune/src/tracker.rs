//! A training run as it is followed: the progress line, `metrics.jsonl` and TensorBoard's events.

use std::collections::VecDeque;
use std::path::Path;

use bert_backend::{Usage, UsageMonitor};
use bert_records::{EventLog, MetricsLog, RecordError};
use bert_tasks::{Counter, Evaluation, Watch};
use bert_training::StepRecord;
use bert_training::run::{RunState, SavedState, Totals};
use serde::Serialize;
use serde_json::json;
use tracing::{debug, info, warn};

use crate::FinetuneError;

/// Share of a new loss in the one shown.
const SMOOTHING: f64 = 0.05;
/// Steps over which speed is measured.
const SPEED_OVER: usize = 50;
/// The metrics log.
pub(crate) const METRICS: &str = "metrics.jsonl";
/// The folder of TensorBoard's event files.
pub(crate) const EVENTS: &str = "tensorboard";

/// Shows and records a run's steps.
pub(crate) struct Tracker {
    counter: Box<dyn Counter>,
    metrics: MetricsLog,
    events: EventLog,
    monitor: UsageMonitor,
    smoothed_loss: Option<f64>,
    speed: Speed,
    totals: Totals,
    metrics_failing: Failing,
    events_failing: Failing,
}

/// A step's line in the metrics log.
#[derive(Serialize)]
struct StepLine<'a> {
    #[serde(flatten)]
    record: &'a StepRecord,
    padding_share: f64,
    tokens_per_second: f64,
    sequences_per_second: f64,
    #[serde(flatten)]
    usage: Usage,
}

impl Tracker {
    /// Starts the logs of a new run, or goes on with those of one that stood at `resumed`, dropping what they say
    /// of later steps.
    ///
    /// # Errors
    /// When a log cannot be written.
    pub(crate) fn start(
        dir: &Path,
        total_steps: usize,
        resumed: Option<&RunState>,
        monitor: UsageMonitor,
        watch: &dyn Watch,
    ) -> Result<Self, FinetuneError> {
        let metrics = dir.join(METRICS);
        let step = resumed.map(|state| state.step);
        Ok(Self {
            metrics: match step {
                None => MetricsLog::create(&metrics)?,
                Some(step) => {
                    // What is evaluated again is logged again.
                    let evaluated = resumed.is_some_and(RunState::is_evaluated);
                    let to_come = (!evaluated).then_some("evaluation");
                    MetricsLog::resume(&metrics, step as u64, to_come)?
                }
            },
            events: EventLog::create(&dir.join(EVENTS), step.map(|step| step as u64))?,
            counter: watch.start("training", "steps", step.unwrap_or(0), total_steps),
            monitor,
            smoothed_loss: None,
            speed: Speed::default(),
            totals: resumed.map_or_else(Totals::default, |state| state.totals),
            metrics_failing: Failing::default(),
            events_failing: Failing::default(),
        })
    }

    /// A step is done.
    pub(crate) fn step(&mut self, record: &StepRecord, seconds: f64) {
        let loss = f64::from(record.loss);
        let smoothed = self
            .smoothed_loss
            .map_or(loss, |last| last + SMOOTHING * (loss - last));
        self.smoothed_loss = Some(smoothed);
        self.totals.tokens += record.tokens;
        self.totals.padded_tokens += record.padded_tokens;
        self.speed.step(record, seconds);
        let line = StepLine {
            record,
            padding_share: 1.0 - record.tokens as f64 / record.padded_tokens as f64,
            tokens_per_second: self.speed.tokens_per_second(),
            sequences_per_second: self.speed.sequences_per_second(),
            usage: self.monitor.read(),
        };
        debug!(
            "step {}: {} examples, {} tokens, {} with padding, loss {loss:.4}, gradient norm {:.4}",
            record.step, record.examples, record.tokens, record.padded_tokens, record.gradient_norm
        );
        self.log(&line);
        self.plot(record.step, &scalars(&line));
        self.show(record.step, smoothed, &line);
    }

    fn show(&mut self, step: usize, loss: f64, line: &StepLine<'_>) {
        let record = line.record;
        self.counter.update(step, &|| {
            format!(
                "epoch {:.2}, loss {loss:.4}, lr {:.1e}, {:.1} rows/s",
                record.epoch, record.learning_rate, line.sequences_per_second
            )
        });
    }

    /// The model has been evaluated.
    pub(crate) fn evaluated(&mut self, step: usize, evaluation: &Evaluation) {
        let scores: Vec<String> = evaluation
            .headline
            .iter()
            .map(|score| format!("{} {}", score.name, score.cell()))
            .collect();
        info!("step {step}: {}", scores.join(", "));
        self.log(
            &json!({"step": step, "score": evaluation.score, "evaluation": evaluation.by_key}),
        );
        let named: Vec<(String, f64)> = evaluation
            .by_key
            .iter()
            .filter_map(|(key, value)| {
                let name = key.strip_prefix("eval_").unwrap_or(key);
                Some((format!("evaluation/{name}"), value.as_f64()?))
            })
            .collect();
        let scalars: Vec<(&str, f64)> = named.iter().map(|(n, v)| (n.as_str(), *v)).collect();
        self.plot(step, &scalars);
    }

    /// A run state is on disk.
    pub(crate) fn saved(&mut self, state: &SavedState) {
        // A power cut must not leave a log that is behind its run state.
        self.flush();
        debug!("saved {}", state.path.display());
    }

    /// Removes the progress line and makes the logs durable.
    pub(crate) fn finish(mut self) {
        self.flush();
    }

    fn flush(&mut self) {
        self.metrics_failing.note("lines", self.metrics.flush());
        self.events_failing.note("events", self.events.flush());
    }

    fn log(&mut self, line: &impl Serialize) {
        self.metrics_failing.note("lines", self.metrics.log(line));
    }

    fn plot(&mut self, step: usize, scalars: &[(&str, f64)]) {
        let logged = self.events.scalars(step as u64, scalars);
        self.events_failing.note("events", logged);
    }
}

/// Whether a log can be written at present. A run goes on where it cannot, and says what the log lacks meanwhile.
#[derive(Default)]
struct Failing {
    now: bool,
}

impl Failing {
    fn note(&mut self, what: &str, outcome: Result<(), RecordError>) {
        match outcome {
            Ok(()) => {
                if self.now {
                    warn!("the {what} that a log lacked are in it now");
                }
                self.now = false;
            }
            Err(error) => {
                if !self.now {
                    warn!(
                        "{error}; the run goes on, and its {what} wait until they can be written"
                    );
                }
                self.now = true;
            }
        }
    }
}

fn scalars(line: &StepLine<'_>) -> Vec<(&'static str, f64)> {
    let StepLine { record, usage, .. } = line;
    let mut scalars = vec![
        ("train/loss", f64::from(record.loss)),
        ("train/learning_rate", record.learning_rate),
        ("train/gradient_norm", f64::from(record.gradient_norm)),
        ("train/padding_share", line.padding_share),
        ("speed/tokens_per_second", line.tokens_per_second),
        ("speed/sequences_per_second", line.sequences_per_second),
    ];
    let usage = [
        ("memory/host_bytes", usage.memory_bytes.map(|b| b as f64)),
        (
            "memory/device_bytes",
            usage.device_memory_bytes.map(|b| b as f64),
        ),
        ("device/utilization", usage.device_utilization),
    ];
    scalars.extend(usage.into_iter().filter_map(|(n, v)| Some((n, v?))));
    scalars
}

/// Speed over the last steps, evaluations and run states between them left out.
#[derive(Default)]
struct Speed {
    /// Seconds, tokens and sequences of each.
    last: VecDeque<(f64, usize, usize)>,
}

impl Speed {
    fn step(&mut self, record: &StepRecord, seconds: f64) {
        if self.last.len() == SPEED_OVER {
            self.last.pop_front();
        }
        self.last
            .push_back((seconds, record.tokens, record.sequences));
    }

    fn tokens_per_second(&self) -> f64 {
        let tokens: usize = self.last.iter().map(|(_, tokens, _)| *tokens).sum();
        tokens as f64 / self.seconds()
    }

    fn sequences_per_second(&self) -> f64 {
        let sequences: usize = self.last.iter().map(|(.., sequences)| *sequences).sum();
        sequences as f64 / self.seconds()
    }

    fn seconds(&self) -> f64 {
        let seconds: f64 = self.last.iter().map(|(seconds, ..)| *seconds).sum();
        // A clock too coarse to see a step must not make its speed infinite.
        seconds.max(1e-9)
    }
}
