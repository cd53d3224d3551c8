//! Progress on stderr: a bar on a terminal, a line now and then elsewhere.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use bert_report::MetricsLog;
use bert_training::{Observer, StepRecord};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tracing::{debug, info};

/// Seconds between two lines where stderr is not a terminal.
const LINE_EVERY: Duration = Duration::from_secs(15);
/// Share of a new loss in the one shown.
const SMOOTHING: f64 = 0.05;

/// A bar or its plain form.
pub(crate) struct Progress {
    bar: ProgressBar,
    what: &'static str,
    total: u64,
    plain: bool,
    started: Instant,
    last_line: Instant,
}

impl Progress {
    /// Starts a bar of `total` units.
    pub(crate) fn start(what: &'static str, total: usize) -> Self {
        let plain = !stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(
            Some(total as u64),
            if plain {
                ProgressDrawTarget::hidden()
            } else {
                ProgressDrawTarget::stderr_with_hz(5)
            },
        );
        let template = "{prefix} [{bar:30}] {pos}/{len} {msg} ({elapsed} gone, {eta} left)";
        let style = ProgressStyle::with_template(template).expect("the template is valid");
        bar.set_style(style.progress_chars("=> "));
        bar.set_prefix(what);
        Self {
            bar,
            what,
            total: total as u64,
            plain,
            started: Instant::now(),
            last_line: Instant::now(),
        }
    }

    /// `done` units are done; `detail` is computed only where it is shown.
    pub(crate) fn update(&mut self, done: usize, detail: impl FnOnce() -> String) {
        let done = done as u64;
        self.bar.set_position(done);
        if !self.plain {
            self.bar.set_message(detail());
        } else if self.last_line.elapsed() >= LINE_EVERY || done == self.total {
            self.last_line = Instant::now();
            let gone = self.started.elapsed().as_secs_f64();
            let left = gone / done.max(1) as f64 * (self.total - done.min(self.total)) as f64;
            let detail = detail();
            info!(
                "{} {done}/{} {detail} ({gone:.0} s gone, {left:.0} s left)",
                self.what, self.total
            );
        }
    }

    /// Removes the bar; returns the seconds since the start.
    pub(crate) fn finish(self) -> f64 {
        self.bar.finish_and_clear();
        self.started.elapsed().as_secs_f64()
    }
}

/// Shows and records a training run's steps.
pub(crate) struct TrainProgress {
    progress: Progress,
    log: MetricsLog,
    started: Instant,
    smoothed_loss: Option<f64>,
    /// The first failure to write `metrics.jsonl`, reported once the run is over.
    pub(crate) log_error: Option<bert_report::ReportError>,
    /// Sums over the run.
    pub(crate) totals: Totals,
}

/// Sums over a run.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Totals {
    pub(crate) steps: usize,
    pub(crate) examples: usize,
    pub(crate) tokens: usize,
    pub(crate) padded_tokens: usize,
    /// Sum of the examples' losses.
    pub(crate) loss: f64,
}

impl TrainProgress {
    pub(crate) fn start(total_steps: usize, log: MetricsLog) -> Self {
        Self {
            progress: Progress::start("training", total_steps),
            log,
            started: Instant::now(),
            smoothed_loss: None,
            log_error: None,
            totals: Totals::default(),
        }
    }

    /// Removes the bar; returns the seconds since the start.
    pub(crate) fn finish(mut self) -> (f64, Totals, Option<bert_report::ReportError>) {
        if let Err(error) = self.log.flush() {
            self.log_error.get_or_insert(error);
        }
        (self.progress.finish(), self.totals, self.log_error)
    }
}

impl Observer for TrainProgress {
    fn step(&mut self, record: &StepRecord) {
        let loss = f64::from(record.loss);
        self.totals.steps = record.step;
        self.totals.examples += record.examples;
        self.totals.tokens += record.tokens;
        self.totals.padded_tokens += record.padded_tokens;
        self.totals.loss += loss * record.examples as f64;
        let smoothed = self
            .smoothed_loss
            .map_or(loss, |last| last + SMOOTHING * (loss - last));
        self.smoothed_loss = Some(smoothed);
        let tokens_per_second = self.totals.tokens as f64 / self.started.elapsed().as_secs_f64();
        debug!(
            "step {}: {} examples, {} tokens, {} with padding, loss {loss:.4}, gradient norm {:.4}",
            record.step, record.examples, record.tokens, record.padded_tokens, record.gradient_norm
        );
        if self.log_error.is_none()
            && let Err(error) = self.log.log(record)
        {
            self.log_error = Some(error);
        }
        self.progress.update(record.step, || {
            format!(
                "loss {smoothed:.4}, lr {:.2e}, {tokens_per_second:.0} tokens/s",
                record.learning_rate
            )
        });
    }
}
