//! How answers are chosen.

use serde::{Deserialize, Serialize};

use crate::PredictionError;

/// How answers are chosen. The names and defaults are those of `run_squad.py` 0.4.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "clap",
    derive(clap::Args),
    command(next_help_heading = "Prediction")
)]
pub struct SquadPredictionConfig {
    /// Entries of each question's n-best list; as many starts and ends are considered in each window
    #[cfg_attr(feature = "clap", arg(long, value_name = "N", default_value_t = Self::default().n_best_size))]
    pub n_best_size: usize,
    /// Longest answer, in tokens
    #[cfg_attr(feature = "clap", arg(long, value_name = "TOKENS", default_value_t = Self::default().max_answer_length))]
    pub max_answer_length: usize,
    /// The data are SQuAD 2.0: some questions have no answer
    #[cfg_attr(feature = "clap", arg(long))]
    pub version_2_with_negative: bool,
    /// Predict "no answer" where its score is above the best answer's by more than this
    #[cfg_attr(
        feature = "clap",
        arg(
            long,
            value_name = "SCORE",
            default_value_t = Self::default().null_score_diff_threshold,
            allow_negative_numbers = true
        )
    )]
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
                "`n_best_size`: found 0, expected at least 1",
            ),
            (
                SquadPredictionConfig {
                    max_answer_length: 0,
                    ..Default::default()
                },
                "`max_answer_length`: found 0, expected at least 1",
            ),
            (
                SquadPredictionConfig {
                    null_score_diff_threshold: f32::NAN,
                    ..Default::default()
                },
                "`null_score_diff_threshold`: found NaN, expected a number",
            ),
        ];
        for (config, message) in cases {
            let error = config.validate().expect_err("it is out of range");
            assert_eq!(error.to_string(), message);
        }
    }
}
