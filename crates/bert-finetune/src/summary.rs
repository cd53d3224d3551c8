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
    /// The files of predictions that are there.
    pub(crate) predictions: &'a [&'static str],
    /// Steps done before the checkpoints that are there.
    pub(crate) checkpoints: &'a [u64],
}

impl Summary<'_> {
    /// Logs the summary, several lines.
    pub(crate) fn log(&self, outcome: &RunOutcome) {
        let Self { state, dir, .. } = self;
        let ended = match self.end {
            RunEnd::StoppedEarly => ", ended early: the score stopped improving",
            RunEnd::Completed | RunEnd::Interrupted => "",
        };
        let seconds = state.seconds;
        info!(
            "trained {} of {} steps: mean loss {:.4}, {:.0} tokens/s, {:.1} {}/s, {:.1} % padding{ended}",
            state.step,
            state.total_steps,
            state.totals.mean_loss(),
            state.totals.tokens as f64 / seconds.training,
            state.totals.examples as f64 / seconds.training,
            self.examples,
            100.0 * state.totals.padding_share()
        );
        if let Some(best) = state.best {
            info!(
                "best step {} of {} evaluated, score {}; its weights are the result",
                best.step,
                state.evaluations.len(),
                percent_cell(best.score)
            );
        }
        let scores = outcome.table.last().iter();
        let scores: Vec<String> = scores
            .map(|score| format!("{} {}", score.name, score.cell()))
            .collect();
        if !scores.is_empty() {
            info!("scores: {}", scores.join(", "));
        }
        info!(
            "time: {:.1} s data, {:.1} s training, {:.1} s evaluation, {:.1} s saving",
            self.data_seconds,
            seconds.training,
            seconds.evaluation + self.other_evaluation.as_secs_f64(),
            seconds.saving
        );
        if self.left_out.is_empty() {
            info!("data: nothing was left out");
        }
        for line in self.left_out {
            info!("data: {line}");
        }
        let dir = dir.display();
        info!("{dir}: the model: model.safetensors, config.json, vocab.txt, tokenizer_config.json");
        let results: String = self
            .predictions
            .iter()
            .map(|file| format!(", {file}"))
            .collect();
        info!("{dir}: its results: eval_results.txt{results}; the record: run.json");
        info!("{dir}: every step: metrics.jsonl; curves: tensorboard --logdir {dir}/tensorboard");
        let steps: Vec<String> = self.checkpoints.iter().map(ToString::to_string).collect();
        info!("{dir}/checkpoints: after steps {}", steps.join(", "));
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
