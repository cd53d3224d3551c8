//! What a finished run says of itself: on stderr, and in `run.json`.

use std::path::Path;
use std::time::Duration;

use bert_tasks::percent_cell;
use bert_training::run::{RunEnd, RunState};
use serde_json::{Value, json};
use tracing::info;

use crate::RunOutcome;
use crate::prepare::ACCUMULATION;

/// Everything that the end of a training is told from.
pub(crate) struct Summary<'a> {
    pub(crate) dir: &'a Path,
    pub(crate) state: &'a RunState,
    pub(crate) end: RunEnd,
    /// What an example is called, in the plural.
    pub(crate) examples: &'static str,
    /// Reading and converting the data, this time.
    pub(crate) data_seconds: f64,
    /// Evaluating the untrained model, this time, and the final one.
    pub(crate) other_evaluation: Duration,
    /// What of the data was not used, and why.
    pub(crate) left_out: &'a [String],
}

impl Summary<'_> {
    /// Logs how the training went and where its results are. The scores are the caller's to print.
    pub(crate) fn log(&self) {
        let Self { state, dir, .. } = self;
        let ended = match self.end {
            RunEnd::StoppedEarly => ", ended early: the score stopped improving",
            RunEnd::Completed | RunEnd::Interrupted => "",
        };
        let seconds = state.seconds;
        info!(
            "trained {} of {} in {:.1} s: mean loss {:.4}, {:.1} {}/s{ended}",
            state.step,
            counted(state.total_steps, "step"),
            seconds.training,
            state.totals.mean_loss(),
            state.totals.examples as f64 / seconds.training,
            self.examples
        );
        if let Some(best) = state.best {
            info!(
                "the result is the best of {}: step {}, score {}",
                counted(state.evaluations.len(), "evaluation"),
                best.step,
                percent_cell(best.score)
            );
        }
        for line in self.left_out {
            info!("data: {line}");
        }
        info!(
            "{}: the model, its predictions and scores; report.html shows curves, scores and the worst mistakes",
            dir.display()
        );
    }

    /// The same for `run.json`, with what a resumed command needs to print the results again.
    pub(crate) fn to_json(&self, outcome: &RunOutcome) -> Value {
        let state = self.state;
        json!({
            "outcome": outcome,
            "steps": state.step,
            "total_steps": state.total_steps,
            (ACCUMULATION): state.accumulation,
            "stopped_early": self.end == RunEnd::StoppedEarly,
            "best": state.best,
            "evaluations": state.evaluations,
            "seconds": {
                "data": self.data_seconds,
                "training": state.seconds.training,
                "evaluation": state.seconds.evaluation + self.other_evaluation.as_secs_f64(),
                "saving": state.seconds.saving,
            },
            "tokens": state.totals.tokens,
            "padding_share": state.totals.padding_share(),
            "left_out": self.left_out,
        })
    }
}

/// A number and its unit: `1 step`, `2 steps`.
pub(crate) fn counted(number: usize, unit: &str) -> String {
    match number {
        1 => format!("1 {unit}"),
        _ => format!("{number} {unit}s"),
    }
}
