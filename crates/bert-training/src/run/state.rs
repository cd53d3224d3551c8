//! Where a run stands: everything about it that is no tensor.

use serde::{Deserialize, Serialize};

use crate::{StepRecord, TrainPlan};

/// The layout of [`RunState`] and of the files beside it; another one is refused.
pub(super) const FORMAT: u32 = 1;

/// The counters of a run. Its saved state holds them as `trainer_state.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunState {
    /// Of the run state's files.
    pub format: u32,
    /// What the run is: equal for runs whose steps are the same. See [`RunSaving::run`](super::RunSaving::run).
    pub run: String,
    /// Seed of the data order and of dropout.
    pub seed: u64,
    /// Optimiser steps done.
    pub step: usize,
    /// Optimiser steps of the whole run.
    pub total_steps: usize,
    /// The epoch of the next step, from 0.
    pub epoch: usize,
    /// The next step's place in its epoch, from 0.
    pub step_in_epoch: usize,
    /// Micro-batches done, which number the dropout masks.
    pub forward_passes: u64,
    /// Micro-batches of a step.
    pub accumulation: usize,
    /// Sums over the steps done.
    pub totals: Totals,
    /// Where the time went, over all the processes that took part.
    pub seconds: Seconds,
    /// Every evaluation on the way, in order.
    pub evaluations: Vec<EvaluationPoint>,
    /// The best of them.
    pub best: Option<EvaluationPoint>,
    /// Steps done when the best model was lost: patience counts the evaluations after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_lost_at: Option<usize>,
}

/// Sums over a run's steps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// Examples, each counted as often as it was seen.
    pub examples: usize,
    /// Tokens that are not padding.
    pub tokens: usize,
    /// Tokens with padding.
    pub padded_tokens: usize,
    /// Sum of the examples' losses.
    pub loss: f64,
}

/// Where a run's time went, in seconds of the wall clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seconds {
    /// Steps.
    pub training: f64,
    /// Evaluations on the way.
    pub evaluation: f64,
    /// Steps waiting for a run state to be copied; another thread writes it.
    pub saving: f64,
}

/// One evaluation on the way.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluationPoint {
    /// Steps done before it.
    pub step: usize,
    /// The score by which models are compared, more is better; `None` where it is not defined.
    pub score: Option<f64>,
}

impl Totals {
    pub(super) fn add(&mut self, record: &StepRecord) {
        self.examples += record.examples;
        self.tokens += record.tokens;
        self.padded_tokens += record.padded_tokens;
        self.loss += f64::from(record.loss) * record.examples as f64;
    }

    /// Mean loss of the examples seen; NaN before the first.
    pub fn mean_loss(&self) -> f64 {
        self.loss / self.examples as f64
    }

    /// Share of the tokens that are padding; NaN before the first step.
    pub fn padding_share(&self) -> f64 {
        1.0 - self.tokens as f64 / self.padded_tokens as f64
    }
}

impl RunState {
    /// The start of a run.
    pub(super) fn new(run: String, seed: u64, plan: TrainPlan) -> Self {
        Self {
            format: FORMAT,
            run,
            seed,
            step: 0,
            total_steps: plan.total_steps,
            epoch: 0,
            step_in_epoch: 0,
            forward_passes: 0,
            accumulation: 1,
            totals: Totals::default(),
            seconds: Seconds::default(),
            evaluations: Vec::new(),
            best: None,
            best_lost_at: None,
        }
    }

    /// Whether the model of this step has been evaluated.
    pub fn is_evaluated(&self) -> bool {
        self.evaluations
            .last()
            .is_some_and(|last| last.step == self.step)
    }

    /// Notes an evaluation of the model of this step; returns whether it is the best. A score that is not
    /// defined never is, and a later one must be better, not as good.
    pub(super) fn evaluated(&mut self, score: Option<f64>) -> bool {
        let point = EvaluationPoint {
            step: self.step,
            score: score.filter(|score| score.is_finite()),
        };
        self.evaluations.push(point);
        let better = match (point.score, self.best.and_then(|best| best.score)) {
            (Some(now), Some(best)) => now > best,
            (now, None) => now.is_some(),
            (None, Some(_)) => false,
        };
        if better {
            self.best = Some(point);
        }
        better
    }

    /// Forgets the best model, whose files are lost: later ones are compared with each other, and patience starts again.
    pub(super) fn lose_best(&mut self) {
        self.best = None;
        self.best_lost_at = Some(self.step);
    }

    /// Evaluations since the best one; where there is none, since the start or since it was lost.
    pub fn evaluations_without_improvement(&self) -> usize {
        let best = self.best.map(|best| best.step).or(self.best_lost_at);
        let since = best.unwrap_or(0);
        self.evaluations.iter().filter(|e| e.step > since).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> RunState {
        let plan = TrainPlan {
            examples: 1,
            steps_per_epoch: 1,
            total_steps: 9,
        };
        RunState::new("run".into(), 1, plan)
    }

    #[test]
    fn the_best_score_is_the_first_of_the_highest() {
        let mut state = state();
        let scores = [None, Some(0.5), Some(0.7), Some(0.7), None, Some(0.1)];
        let mut found = Vec::new();
        for (n, score) in scores.into_iter().enumerate() {
            state.step = n + 1;
            let best = state.evaluated(score);
            found.push((best, state.evaluations_without_improvement()));
        }
        let expected = [
            (false, 1),
            (true, 0),
            (true, 0),
            (false, 1),
            (false, 2),
            (false, 3),
        ];
        assert_eq!(found, expected);
        assert_eq!(state.best.map(|best| best.step), Some(3));
    }

    #[test]
    fn patience_begins_anew_when_the_best_model_is_lost() {
        let mut state = state();
        for (n, score) in [0.9, 0.5, 0.4].into_iter().enumerate() {
            state.step = n + 1;
            state.evaluated(Some(score));
        }
        assert_eq!(state.evaluations_without_improvement(), 2);
        state.lose_best();
        assert_eq!(state.evaluations_without_improvement(), 0);
        state.step = 4;
        assert!(state.evaluated(Some(0.3)));
        state.step = 5;
        state.evaluated(Some(0.2));
        assert_eq!(state.evaluations_without_improvement(), 1);
    }

    #[test]
    fn a_state_survives_its_file_to_the_bit() {
        let mut state = state();
        state.totals.loss = 0.1 + 0.2;
        state.seconds.training = 1.0 / 3.0;
        state.step = 3;
        state.evaluated(Some(58.467_360_454_115_42));
        let text = serde_json::to_string(&state).unwrap();
        assert_eq!(serde_json::from_str::<RunState>(&text).unwrap(), state);
    }
}
