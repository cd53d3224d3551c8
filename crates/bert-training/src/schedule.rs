//! Learning-rate schedules of the 2018 scripts.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

/// How the learning rate moves over a run. Each is a function of `x`, the share of the run's optimiser
/// steps already done, and is applied once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// `x / warmup` during the warm-up, then `1 - x` (Devlin et al. 2019, A.2).
    #[default]
    #[cfg_attr(feature = "clap", value(alias = "warmup_linear"))]
    WarmupLinear,
    /// `x / warmup` during the warm-up, then 1.
    #[cfg_attr(feature = "clap", value(alias = "warmup_constant"))]
    Constant,
    /// `x / warmup` during the warm-up, then half a cosine from `(1 + cos πx) / 2` down to 0.
    #[cfg_attr(feature = "clap", value(alias = "warmup_cosine"))]
    Cosine,
}

impl Schedule {
    /// The factor on the learning rate, within `[0, 1]`.
    pub fn factor(self, x: f64, warmup: f64) -> f64 {
        if x < warmup {
            return x / warmup;
        }
        let factor = match self {
            Self::WarmupLinear => 1.0 - x,
            Self::Constant => 1.0,
            Self::Cosine => 0.5 * (1.0 + (PI * x).cos()),
        };
        factor.max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Case {
        schedule: Schedule,
        warmup: f64,
        x: Vec<f64>,
        multiplier: Vec<f64>,
    }

    #[test]
    fn schedules_equal_the_golden_table() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/golden/bert-adam/expected/schedules.json"
        );
        let cases: Vec<Case> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        assert_eq!(cases.len(), 6);
        for case in cases {
            for (x, expected) in case.x.iter().zip(&case.multiplier) {
                let found = case.schedule.factor(*x, case.warmup);
                assert!(
                    (found - expected).abs() < 1e-12,
                    "{:?} at {x}",
                    case.schedule
                );
            }
        }
    }

    #[test]
    fn the_rate_is_never_negative() {
        assert_eq!(Schedule::WarmupLinear.factor(1.5, 0.1), 0.0);
    }
}
