//! How answers are chosen.

use std::str::FromStr;

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
    /// Predict "no answer" where its score is above the best answer's by more than this; auto finds the best threshold on
    /// the file that is scored, and a trained model keeps it [default: the model's own where it has one, else 0]
    #[cfg_attr(
        feature = "clap",
        arg(long, value_name = "SCORE|auto", allow_negative_numbers = true)
    )]
    pub null_score_diff_threshold: Option<NullThreshold>,
}

/// How far the score of "no answer" must be above the best answer's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "WrittenThreshold", into = "WrittenThreshold")]
pub enum NullThreshold {
    /// By more than this.
    At(f32),
    /// By as much as scores best on the questions that are answered, where they have answers.
    Auto,
}

/// A threshold in JSON.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum WrittenThreshold {
    Number(f32),
    Word(String),
}

/// The word for a threshold that is found.
const AUTO: &str = "auto";

impl FromStr for NullThreshold {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == AUTO {
            return Ok(Self::Auto);
        }
        let number = text.parse().map(Self::At);
        number.map_err(|_| format!("found {text:?}, expected a number or {AUTO}"))
    }
}

impl TryFrom<WrittenThreshold> for NullThreshold {
    type Error = String;

    fn try_from(written: WrittenThreshold) -> Result<Self, String> {
        match written {
            WrittenThreshold::Number(number) => Ok(Self::At(number)),
            WrittenThreshold::Word(word) => word.parse(),
        }
    }
}

impl From<NullThreshold> for WrittenThreshold {
    fn from(threshold: NullThreshold) -> Self {
        match threshold {
            NullThreshold::At(number) => Self::Number(number),
            NullThreshold::Auto => Self::Word(AUTO.to_owned()),
        }
    }
}

impl Default for SquadPredictionConfig {
    fn default() -> Self {
        Self {
            n_best_size: 20,
            max_answer_length: 30,
            version_2_with_negative: false,
            null_score_diff_threshold: None,
        }
    }
}

impl SquadPredictionConfig {
    /// The threshold as far as it is known: one that is found begins with 0.
    #[must_use]
    pub fn threshold(&self) -> f32 {
        match self.null_score_diff_threshold {
            Some(NullThreshold::At(threshold)) => threshold,
            None | Some(NullThreshold::Auto) => 0.0,
        }
    }

    /// Whether the threshold is to be found.
    #[must_use]
    pub fn finds_threshold(&self) -> bool {
        self.null_score_diff_threshold == Some(NullThreshold::Auto)
    }

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
        if self.threshold().is_nan() {
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
    fn a_threshold_is_a_number_or_auto_in_json_too() {
        for (json, threshold) in [
            ("-1.5", NullThreshold::At(-1.5)),
            ("\"auto\"", NullThreshold::Auto),
        ] {
            let read: NullThreshold = serde_json::from_str(json).expect("it is one");
            assert_eq!(read, threshold);
            assert_eq!(serde_json::to_string(&threshold).expect("it is JSON"), json);
        }
        assert!(serde_json::from_str::<NullThreshold>("\"best\"").is_err());
        let refused = "best".parse::<NullThreshold>();
        assert_eq!(
            refused,
            Err("found \"best\", expected a number or auto".to_owned())
        );
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
                    null_score_diff_threshold: Some(NullThreshold::At(f32::NAN)),
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
