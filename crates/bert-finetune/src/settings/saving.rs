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
        /// End the training after N evaluations without a better score; needs --eval-steps
        #[cfg_attr(feature = "clap", arg(long, value_name = "N"))]
        pub early_stopping_patience: Option<usize> => Role::Setting,
    }
}

impl Default for Saving {
    fn default() -> Self {
        Self {
            save_steps: None,
            save_minutes: 5.0,
            keep_last: const { NonZeroUsize::new(2).expect("2 is not 0") },
        }
    }
}

impl Saving {
    /// Time between two; `None`: not by time.
    pub fn interval(&self) -> Option<Duration> {
        (self.save_minutes > 0.0).then(|| Duration::from_secs_f64(60.0 * self.save_minutes))
    }

    pub(super) fn validate(&self) -> Result<(), FinetuneError> {
        if self.save_steps == Some(0) {
            return Err(out_of_range("save_steps", 0, "at least 1"));
        }
        // A day is 1440 minutes; a century is a mistake, and longer than a duration can be.
        if !(0.0..=1e6).contains(&self.save_minutes) {
            let expected = "at least 0 and at most 1000000";
            return Err(out_of_range("save_minutes", self.save_minutes, expected));
        }
        Ok(())
    }
}

impl EvaluationSchedule {
    pub(super) fn validate(&self) -> Result<(), FinetuneError> {
        for (setting, count) in [
            ("eval_steps", self.eval_steps),
            ("early_stopping_patience", self.early_stopping_patience),
        ] {
            if count == Some(0) {
                return Err(out_of_range(setting, 0, "at least 1"));
            }
        }
        if self.early_stopping_patience.is_some() && self.eval_steps.is_none() {
            return Err(FinetuneError::Setting {
                setting: "early_stopping_patience",
                found: "no evaluations during the training".to_owned(),
                expected: "`eval_steps`".to_owned(),
            });
        }
        Ok(())
    }
}
