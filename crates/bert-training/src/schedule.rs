//! Learning-rate schedules: those of the 2018 scripts, and those of `transformers`.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

/// Where `transformers`' polynomial schedule ends (`lr_end` of `get_polynomial_decay_schedule_with_warmup`).
pub(crate) const POLYNOMIAL_END: f64 = 1e-7;

/// The time scale of `transformers`' inverse square root where there is no warm-up (`get_inverse_sqrt_schedule`).
const INVERSE_SQRT_STEPS: usize = 10_000;

/// How the learning rate moves over a run. Each is applied once.
///
/// The 2018 scripts' are functions of `x`, the share of the run's optimiser steps already done. Those of `transformers`
/// (`optimization.py` 5.24) count steps: `t` of `total`, of which the first `n` are the warm-up. All of them begin with
/// `t / n`, which is `x / warmup`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// After the warm-up `1 - x` (Devlin et al. 2019, A.2)
    #[default]
    #[cfg_attr(feature = "clap", value(alias = "warmup_linear"))]
    WarmupLinear,
    /// After the warm-up 1
    #[cfg_attr(feature = "clap", value(aliases = ["warmup_constant", "constant-with-warmup", "constant_with_warmup"]))]
    Constant,
    /// After the warm-up half a cosine, from `(1 + cos πx) / 2` down to 0
    #[cfg_attr(feature = "clap", value(alias = "warmup_cosine"))]
    Cosine,
    /// From 1 at the end of the warm-up down to 0, as `linear` of `transformers`
    Linear,
    /// Half a cosine from 1 at the end of the warm-up down to 0, as `cosine` of `transformers`
    #[cfg_attr(feature = "clap", value(alias = "half_cosine"))]
    HalfCosine,
    /// From 1 at the end of the warm-up down to a rate of 1e-7, as `polynomial` of `transformers` (power 1)
    Polynomial,
    /// `√(n / t)` after a warm-up of `n` steps, without one `√(10000 / (t + 10000))`, as `inverse_sqrt` of `transformers`
    #[cfg_attr(feature = "clap", value(alias = "inverse_sqrt"))]
    InverseSqrt,
}

/// How long the learning rate rises.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Warmup {
    /// A share of the run's steps.
    Share(f64),
    /// A number of steps.
    Steps(usize),
}

impl Warmup {
    /// The share of a run's steps.
    fn share(self, total_steps: usize) -> f64 {
        match self {
            Self::Share(share) => share,
            Self::Steps(steps) => steps as f64 / total_steps as f64,
        }
    }

    /// Whole steps of a run, rounded up as `TrainingArguments.get_warmup_steps` does.
    pub fn steps(self, total_steps: usize) -> usize {
        match self {
            Self::Share(share) => (total_steps as f64 * share).ceil() as usize,
            Self::Steps(steps) => steps,
        }
    }
}

/// A moment of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    /// Steps done.
    pub step: usize,
    /// Steps of the run.
    pub total_steps: usize,
    /// How long the rate rises.
    pub warmup: Warmup,
    /// The rate at its peak.
    pub learning_rate: f64,
}

impl Schedule {
    /// The factor on the learning rate, within `[0, 1]`.
    pub fn factor(self, at: &Moment) -> f64 {
        let (step, total) = (at.step, at.total_steps);
        if matches!(self, Self::WarmupLinear | Self::Constant | Self::Cosine) {
            return self.factor_of_share(step as f64 / total as f64, at.warmup.share(total));
        }
        let warmup = at.warmup.steps(total);
        if step < warmup {
            return step as f64 / warmup as f64;
        }
        let left = total.saturating_sub(warmup).max(1) as f64;
        let done = ((step - warmup) as f64 / left).min(1.0);
        match self {
            Self::Linear => total.saturating_sub(step) as f64 / left,
            Self::HalfCosine => 0.5 * (1.0 + (PI * done).cos()),
            Self::Polynomial => {
                let range = at.learning_rate - POLYNOMIAL_END;
                (range * (1.0 - done) + POLYNOMIAL_END) / at.learning_rate
            }
            Self::InverseSqrt => {
                let scale = if warmup == 0 {
                    INVERSE_SQRT_STEPS
                } else {
                    warmup
                };
                1.0 / ((step + scale - warmup) as f64 / scale as f64).sqrt()
            }
            Self::WarmupLinear | Self::Constant | Self::Cosine => unreachable!("returned above"),
        }
    }

    /// Those of the 2018 scripts.
    fn factor_of_share(self, x: f64, warmup: f64) -> f64 {
        if x < warmup {
            return x / warmup;
        }
        let factor = match self {
            Self::Constant => 1.0,
            Self::Cosine => 0.5 * (1.0 + (PI * x).cos()),
            _ => 1.0 - x,
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

    fn golden<T: serde::de::DeserializeOwned>(file: &str) -> T {
        let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/");
        serde_json::from_slice(&std::fs::read(format!("{golden}{file}")).unwrap()).unwrap()
    }

    #[test]
    fn schedules_equal_the_golden_table() {
        let cases: Vec<Case> = golden("bert-adam/expected/schedules.json");
        assert_eq!(cases.len(), 6);
        for case in cases {
            for (x, expected) in case.x.iter().zip(&case.multiplier) {
                let found = case.schedule.factor_of_share(*x, case.warmup);
                assert!(
                    (found - expected).abs() < 1e-12,
                    "{:?} at {x}",
                    case.schedule
                );
            }
        }
    }

    #[derive(Deserialize)]
    struct StepsCase {
        schedule: Schedule,
        warmup_steps: usize,
        total_steps: usize,
        learning_rate: f64,
        factors: Vec<f64>,
    }

    #[test]
    fn schedules_of_transformers_equal_its_own() {
        let cases: Vec<StepsCase> = golden("schedules/expected/factors.json");
        let kinds = cases.iter().map(|case| format!("{:?}", case.schedule));
        let kinds: std::collections::BTreeSet<String> = kinds.collect();
        assert_eq!(kinds.len(), 5, "{kinds:?}");
        for case in cases {
            for (step, expected) in case.factors.iter().enumerate() {
                let found = case.schedule.factor(&Moment {
                    step,
                    total_steps: case.total_steps,
                    warmup: Warmup::Steps(case.warmup_steps),
                    learning_rate: case.learning_rate,
                });
                assert!(
                    (found - expected).abs() < 1e-12,
                    "{:?} after {step} of {} steps, {} of them warm-up: found {found}, expected {expected}",
                    case.schedule,
                    case.total_steps,
                    case.warmup_steps
                );
            }
        }
    }

    #[test]
    fn a_share_of_warmup_is_rounded_up_to_steps() {
        for (share, total, steps) in [(0.1, 95, 10), (0.0, 95, 0), (0.1, 100, 10), (0.06, 9, 1)] {
            assert_eq!(Warmup::Share(share).steps(total), steps, "{share} {total}");
            assert_eq!(Warmup::Steps(steps).steps(total), steps);
        }
    }

    #[test]
    fn the_2018_schedules_take_warmup_in_steps_too() {
        let at = |step, warmup| Moment {
            step,
            total_steps: 100,
            warmup,
            learning_rate: 1.0,
        };
        for schedule in [Schedule::WarmupLinear, Schedule::Constant, Schedule::Cosine] {
            for step in [0, 5, 9, 10, 11, 99] {
                let of_share = schedule.factor(&at(step, Warmup::Share(0.1)));
                let of_steps = schedule.factor(&at(step, Warmup::Steps(10)));
                assert_eq!(of_share, of_steps, "{schedule:?} {step}");
            }
        }
    }

    #[test]
    fn the_rate_is_never_negative() {
        assert_eq!(Schedule::WarmupLinear.factor_of_share(1.5, 0.1), 0.0);
    }
}
