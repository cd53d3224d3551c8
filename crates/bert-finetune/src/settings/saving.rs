//! When a run is saved and evaluated.

use std::num::NonZeroUsize;
use std::time::Duration;

use bert_records::compared;
use serde::{Deserialize, Serialize};

use super::out_of_range;
use crate::FinetuneError;

compared! {
    /// When a run is saved, and what is kept.
    #[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
    #[cfg_attr(feature = "clap", derive(clap::Args), command(next_help_heading = "Saving and evaluating"))]
    pub struct Saving {
        /// Save after every N optimiser steps
        #[cfg_attr(feature = "clap", arg(long, value_name = "N"))]
        pub save_steps: Option<usize> => Role::Free,
        /// When to save: no (at the end only, and not by time), steps (--save-steps) or epoch [default: steps with
        /// --save-steps; by time always but with no]
        #[cfg_attr(feature = "clap", arg(long, value_enum, hide_possible_values = true, value_name = "WHEN"))]
        pub save_strategy: Option<Strategy> => Role::Free,
        /// Minutes between two saves; fractions work, 0 turns saving by time off
        #[cfg_attr(feature = "clap", arg(long, value_name = "MINUTES", default_value_t = Self::default().save_minutes, allow_negative_numbers = true))]
        pub save_minutes: f64 => Role::Free,
        /// Saved states that are kept, the best one aside
        #[cfg_attr(feature = "clap", arg(long, value_name = "N", default_value_t = Self::default().keep_last))]
        pub keep_last: NonZeroUsize => Role::Free,
    }
}

compared! {
    /// When the model is evaluated during the training.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
    #[cfg_attr(feature = "clap", derive(clap::Args), command(next_help_heading = "Saving and evaluating"))]
    pub struct EvaluationSchedule {
        /// Evaluate after every N optimiser steps, and end with the best model
        #[cfg_attr(feature = "clap", arg(long, value_name = "N"))]
        pub eval_steps: Option<usize> => Role::Setting,
        /// When to evaluate: no, steps (--eval-steps) or epoch; the best model is the result [default: steps with
        /// --eval-steps, else no]
        #[cfg_attr(feature = "clap", arg(long, value_enum, hide_possible_values = true, value_name = "WHEN"))]
        pub eval_strategy: Option<Strategy> => Role::Setting,
        /// End the training after N evaluations without a better score; needs --eval-steps or --eval-strategy epoch
        #[cfg_attr(feature = "clap", arg(long, value_name = "N"))]
        pub early_stopping_patience: Option<usize> => Role::Setting,
    }
}

/// When something is done during a training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Never
    No,
    /// After a number of optimiser steps
    Steps,
    /// After each pass over the training data
    Epoch,
}

/// The optimiser steps between two times, where something is done by steps.
fn every(
    strategy: Option<Strategy>,
    steps: Option<usize>,
    steps_per_epoch: usize,
) -> Option<usize> {
    match strategy {
        None | Some(Strategy::Steps) => steps,
        Some(Strategy::No) => None,
        Some(Strategy::Epoch) => Some(steps_per_epoch),
    }
}

/// Checks that steps are given where they are asked for, and only there.
fn check_strategy(
    names: (&'static str, &'static str),
    strategy: Option<Strategy>,
    steps: Option<usize>,
) -> Result<(), FinetuneError> {
    let (strategy_name, steps_name) = names;
    if steps == Some(0) {
        return Err(out_of_range(steps_name, 0, "at least 1"));
    }
    match (strategy, steps) {
        (Some(Strategy::Steps), None) => Err(out_of_range(
            strategy_name,
            "steps",
            format!("`{steps_name}` beside it"),
        )),
        (Some(Strategy::No | Strategy::Epoch), Some(steps)) => Err(out_of_range(
            steps_name,
            steps,
            format!("`{strategy_name}` steps, or no `{steps_name}`"),
        )),
        _ => Ok(()),
    }
}

impl Default for Saving {
    fn default() -> Self {
        Self {
            save_steps: None,
            save_strategy: None,
            save_minutes: 5.0,
            keep_last: const { NonZeroUsize::new(2).expect("2 is not 0") },
        }
    }
}

impl Saving {
    /// Time between two; `None`: not by time.
    pub fn interval(&self) -> Option<Duration> {
        (self.save_minutes > 0.0 && self.save_strategy != Some(Strategy::No))
            .then(|| Duration::from_secs_f64(60.0 * self.save_minutes))
    }

    /// Optimiser steps between two; `None`: not by steps.
    pub fn every(&self, steps_per_epoch: usize) -> Option<usize> {
        every(self.save_strategy, self.save_steps, steps_per_epoch)
    }

    pub(super) fn validate(&self) -> Result<(), FinetuneError> {
        check_strategy(
            ("save_strategy", "save_steps"),
            self.save_strategy,
            self.save_steps,
        )?;
        // A day is 1440 minutes; a century is a mistake, and longer than a duration can be.
        if !(0.0..=1e6).contains(&self.save_minutes) {
            let expected = "at least 0 and at most 1000000";
            return Err(out_of_range("save_minutes", self.save_minutes, expected));
        }
        Ok(())
    }
}

impl EvaluationSchedule {
    /// Optimiser steps between two; `None`: there are none on the way.
    pub fn every(&self, steps_per_epoch: usize) -> Option<usize> {
        every(self.eval_strategy, self.eval_steps, steps_per_epoch)
    }

    /// The setting that asks for evaluations, where one does.
    pub(crate) fn asked_by(&self) -> Option<&'static str> {
        match (self.eval_strategy, self.eval_steps) {
            (Some(Strategy::Epoch), _) => Some("eval_strategy"),
            (None | Some(Strategy::Steps), Some(_)) => Some("eval_steps"),
            _ => None,
        }
    }

    pub(super) fn validate(&self) -> Result<(), FinetuneError> {
        check_strategy(
            ("eval_strategy", "eval_steps"),
            self.eval_strategy,
            self.eval_steps,
        )?;
        if self.early_stopping_patience == Some(0) {
            return Err(out_of_range("early_stopping_patience", 0, "at least 1"));
        }
        if self.early_stopping_patience.is_some() && self.asked_by().is_none() {
            return Err(out_of_range(
                "early_stopping_patience",
                "no evaluations during the training",
                "`eval_steps` or `eval_strategy` epoch",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strategy_says_how_many_steps_lie_between() {
        let schedule = |eval_strategy, eval_steps| EvaluationSchedule {
            eval_strategy,
            eval_steps,
            ..EvaluationSchedule::default()
        };
        for (strategy, steps, every, asked_by) in [
            (None, None, None, None),
            (None, Some(3), Some(3), Some("eval_steps")),
            (Some(Strategy::Steps), Some(3), Some(3), Some("eval_steps")),
            (Some(Strategy::No), None, None, None),
            (Some(Strategy::Epoch), None, Some(10), Some("eval_strategy")),
        ] {
            let schedule = schedule(strategy, steps);
            assert!(schedule.validate().is_ok(), "{schedule:?}");
            assert_eq!(schedule.every(10), every, "{schedule:?}");
            assert_eq!(schedule.asked_by(), asked_by, "{schedule:?}");
        }
        for (strategy, steps, line) in [
            (
                Strategy::Steps,
                None,
                "`eval_strategy`: found steps, expected `eval_steps` beside it",
            ),
            (
                Strategy::Epoch,
                Some(3),
                "`eval_steps`: found 3, expected `eval_strategy` steps, or no `eval_steps`",
            ),
        ] {
            let refused = schedule(Some(strategy), steps).validate();
            assert_eq!(refused.unwrap_err().to_string(), line);
        }
    }

    #[test]
    fn without_a_strategy_a_run_is_saved_by_time() {
        let saving = |save_strategy| Saving {
            save_strategy,
            ..Saving::default()
        };
        assert!(saving(None).interval().is_some());
        assert!(saving(Some(Strategy::Epoch)).interval().is_some());
        assert!(saving(Some(Strategy::No)).interval().is_none());
        assert_eq!(saving(Some(Strategy::Epoch)).every(10), Some(10));
    }
}
