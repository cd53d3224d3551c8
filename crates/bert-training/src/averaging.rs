//! Averages of the weights over a run's steps.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The share of a run's steps that `swa` averages, that of Izmailov et al. 2018.
const SWA_SHARE: f64 = 0.25;

/// How weights are averaged: `ema:DECAY`, or `swa` and `swa:SHARE`. What is evaluated and saved is the average.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum AverageWeights {
    /// After the first step the weights, then `decay` times the average and `1 - decay` times the weights, as
    /// `torch.optim.swa_utils.get_ema_multi_avg_fn` has it.
    Exponential(f64),
    /// The mean of the weights after each of the last steps, which are this share of the run's (Izmailov et al. 2018,
    /// "Averaging weights leads to wider optima").
    Stochastic(f64),
}

impl AverageWeights {
    /// The share of the weights after `step` steps of `total_steps` in their average; `None` where it has not begun.
    pub fn share(self, step: usize, total_steps: usize) -> Option<f64> {
        match self {
            Self::Exponential(decay) => match step {
                0 => None,
                1 => Some(1.0),
                _ => Some(1.0 - decay),
            },
            Self::Stochastic(share) => {
                let averaged = (total_steps as f64 * share).ceil() as usize;
                let before = total_steps.saturating_sub(averaged);
                (step > before).then(|| ((step - before) as f64).recip())
            }
        }
    }

    /// Whether its number is one that averages.
    pub(crate) fn is_valid(self) -> bool {
        match self {
            Self::Exponential(decay) => decay > 0.0 && decay < 1.0,
            Self::Stochastic(share) => share > 0.0 && share <= 1.0,
        }
    }
}

impl fmt::Display for AverageWeights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exponential(decay) => write!(f, "ema:{decay}"),
            Self::Stochastic(share) => write!(f, "swa:{share}"),
        }
    }
}

impl FromStr for AverageWeights {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, number) = match text.split_once(':') {
            Some((kind, number)) => (kind, Some(number)),
            None => (text, None),
        };
        let number = number.map(str::parse::<f64>);
        let found = match (kind, number) {
            ("ema", Some(Ok(decay))) => Some(Self::Exponential(decay)),
            ("swa", Some(Ok(share))) => Some(Self::Stochastic(share)),
            ("swa", None) => Some(Self::Stochastic(SWA_SHARE)),
            _ => None,
        };
        found.filter(|found| found.is_valid()).ok_or_else(|| {
            format!(
                "found {text:?}, expected ema:DECAY with a decay above 0 and below 1, swa, or swa:SHARE with a share of the \
                 steps above 0 and at most 1"
            )
        })
    }
}

impl From<AverageWeights> for String {
    fn from(average: AverageWeights) -> Self {
        average.to_string()
    }
}

impl TryFrom<String> for AverageWeights {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_are_read_and_written() {
        for (text, written) in [
            ("ema:0.999", "ema:0.999"),
            ("swa", "swa:0.25"),
            ("swa:1", "swa:1"),
        ] {
            let average: AverageWeights = text.parse().unwrap();
            assert_eq!(average.to_string(), written);
            assert_eq!(serde_json::to_value(average).unwrap(), written);
            assert_eq!(written.parse::<AverageWeights>().unwrap(), average);
        }
        for text in [
            "", "ema", "ema:", "ema:1", "ema:0", "ema:nan", "swa:0", "swa:1.5", "mean",
        ] {
            let error = text.parse::<AverageWeights>().unwrap_err();
            assert!(
                error.starts_with(&format!("found {text:?}, expected ema")),
                "{error}"
            );
        }
    }

    #[test]
    fn the_last_steps_count_alike() {
        let swa = AverageWeights::Stochastic(0.25);
        let shares: Vec<_> = (0..=9).map(|step| swa.share(step, 9)).collect();
        assert_eq!(shares[..7], [None; 7]);
        assert_eq!(shares[7..], [Some(1.0), Some(0.5), Some(1.0 / 3.0)]);
        assert_eq!(swa.share(1, 1), Some(1.0));
        let ema = AverageWeights::Exponential(0.75);
        assert_eq!(
            [0, 1, 2, 9].map(|step| ema.share(step, 9)),
            [None, Some(1.0), Some(0.25), Some(0.25)]
        );
    }
}
