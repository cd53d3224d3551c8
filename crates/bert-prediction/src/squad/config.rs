//! How answers are chosen.

use serde::{Deserialize, Serialize};

use crate::PredictionError;

/// How answers are chosen; the names and defaults are those of `run_squad.py`'s flags.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SquadPredictionConfig {
    /// Start and end positions considered in each window, and entries of the n-best list; 20 by default.
    pub n_best_size: usize,
    /// Longest answer, in WordPieces; 30 by default.
    pub max_answer_length: usize,
    /// Whether a question may have no answer in its context (SQuAD 2.0); false by default.
    pub version_2_with_negative: bool,
    /// The null answer is predicted where its score is above the best span's by more than this; 0 by default.
    pub null_score_diff_threshold: f32,
}

impl Default for SquadPredictionConfig {
    fn default() -> Self {
        Self {
            n_best_size: 20,
            max_answer_length: 30,
            version_2_with_negative: false,
            null_score_diff_threshold: 0.0,
        }
    }
}

impl SquadPredictionConfig {
    /// Checks that there is something to choose from.
    ///
    /// # Errors
    ///
    /// Fails where a size is 0 or the threshold is not a number.
    pub fn validate(&self) -> Result<(), PredictionError> {
        for (setting, size) in [
            ("n_best_size", self.n_best_size),
            ("max_answer_length", self.max_answer_length),
        ] {
            if size == 0 {
                return Err(PredictionError::Setting {
                    setting,
                    expected: "at least 1",
                    found: 0.0,
                });
            }
        }
        if self.null_score_diff_threshold.is_nan() {
            return Err(PredictionError::Setting {
                setting: "null_score_diff_threshold",
                expected: "a number",
                found: f64::NAN,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_the_scripts() {
        let config = SquadPredictionConfig::default();
        assert_eq!((config.n_best_size, config.max_answer_length), (20, 30));
        assert_eq!(config.validate(), Ok(()));
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let cases = [
            (
                SquadPredictionConfig {
                    n_best_size: 0,
                    ..Default::default()
                },
                "n_best_size: expected at least 1, found 0",
            ),
            (
                SquadPredictionConfig {
                    max_answer_length: 0,
                    ..Default::default()
                },
                "max_answer_length: expected at least 1, found 0",
            ),
            (
                SquadPredictionConfig {
                    null_score_diff_threshold: f32::NAN,
                    ..Default::default()
                },
                "null_score_diff_threshold: expected a number, found NaN",
            ),
        ];
        for (config, message) in cases {
            let error = config.validate().expect_err("it is out of range");
            assert_eq!(error.to_string(), message);
        }
    }
}
