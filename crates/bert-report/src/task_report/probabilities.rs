//! The probabilities of an example's classes, in bounded space.

use bert_records::{EVERY_PROBABILITY_UP_TO, LIKELIEST, likeliest};
use serde::{Deserialize, Serialize};

use super::{nulls_as_nan, pairs_as_nan};

/// How likely a model takes each class for an example, 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Probabilities {
    /// Of every class, in the order of the classes.
    Every(#[serde(deserialize_with = "nulls_as_nan")] Vec<f64>),
    /// Of some classes, the likeliest first: a class's index and its probability.
    Likeliest(#[serde(deserialize_with = "pairs_as_nan")] Vec<(usize, f64)>),
}

impl Probabilities {
    /// A class's probability, where it is known.
    pub fn of(&self, class: usize) -> Option<f64> {
        match self {
            Self::Every(all) => all.get(class).copied(),
            Self::Likeliest(some) => {
                let found = some.iter().find(|(index, _)| *index == class);
                found.map(|(_, probability)| *probability)
            }
        }
    }

    /// The classes with their probabilities.
    pub fn entries(&self) -> Vec<(usize, f64)> {
        match self {
            Self::Every(all) => all.iter().copied().enumerate().collect(),
            Self::Likeliest(some) => some.clone(),
        }
    }

    /// The same where there are up to [`EVERY_PROBABILITY_UP_TO`] classes; else the [`LIKELIEST`], and that of `also`.
    #[must_use]
    pub(super) fn bounded(self, also: usize) -> Self {
        match self {
            Self::Every(all) if all.len() > EVERY_PROBABILITY_UP_TO => {
                let mut some = likeliest(&all, LIKELIEST);
                if let Some(probability) = all.get(also)
                    && some.iter().all(|(index, _)| *index != also)
                {
                    some.push((also, *probability));
                }
                Self::Likeliest(some)
            }
            other => other,
        }
    }
}

impl From<Vec<f64>> for Probabilities {
    fn from(all: Vec<f64>) -> Self {
        Self::Every(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_are_kept_whole_and_of_many_the_likeliest_and_the_right_one() {
        let few = Probabilities::from(vec![0.01; EVERY_PROBABILITY_UP_TO]);
        assert_eq!(few.clone().bounded(0), few);
        let mut many = vec![0.0; 2000];
        for (class, probability) in many.iter_mut().enumerate().take(20) {
            *probability = class as f64 / 190.0;
        }
        let bounded = Probabilities::from(many).bounded(1500);
        let classes: Vec<usize> = bounded.entries().iter().map(|(class, _)| *class).collect();
        assert_eq!(classes, [19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 1500]);
        assert_eq!(bounded.of(19), Some(0.1));
        assert_eq!((bounded.of(1500), bounded.of(3)), (Some(0.0), None));
    }

    #[test]
    fn both_kinds_survive_the_round_trip() {
        for (probabilities, json) in [
            (Probabilities::Every(vec![0.25, 0.75]), "[0.25,0.75]"),
            (Probabilities::Every(Vec::new()), "[]"),
            (
                Probabilities::Likeliest(vec![(7, 0.5), (2, 0.25)]),
                "[[7,0.5],[2,0.25]]",
            ),
        ] {
            assert_eq!(serde_json::to_string(&probabilities).unwrap(), json);
            let back: Probabilities = serde_json::from_str(json).unwrap();
            assert_eq!(back, probabilities);
        }
        let odd: Probabilities = serde_json::from_str("[[7,null]]").unwrap();
        assert!(odd.of(7).is_some_and(f64::is_nan));
    }
}
