//! Texts and pairs of texts, with their classes or scores.

use serde::Serialize;

use crate::{Item, answerer::is_probability};

/// A text or a pair of texts, checked: neither is blank, and both are within the configured limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The text, or the first of two.
    pub text: String,
    /// The second text of a pair.
    pub pair: Option<String>,
}

/// How likely a class is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassProbability {
    /// The class's name.
    pub label: String,
    /// How likely it is, 0 to 1.
    pub probability: f64,
    /// The model's output that this comes from.
    #[serde(skip)]
    pub logit: f64,
}

/// The model's result for one text.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Classified {
    /// From a model of classes.
    Classes {
        /// All classes, the most likely one first; there is at least one.
        classes: Vec<ClassProbability>,
    },
    /// From a model of one number (regression).
    Score {
        /// The number, on the scale that the model was trained on.
        score: f64,
    },
}

impl Item for Text {
    type Answer = Classified;

    fn length(&self) -> usize {
        self.text.len() + self.pair.as_ref().map_or(0, String::len)
    }

    fn fault(&self, answer: &Classified) -> Option<String> {
        match answer {
            Classified::Score { score } => (!score.is_finite())
                .then(|| format!("found the score {score}, expected a finite number")),
            Classified::Classes { classes } if classes.is_empty() => {
                Some("found no classes, expected at least one".to_owned())
            }
            Classified::Classes { classes } => classes
                .iter()
                .find(|class| !is_probability(class.probability) || !class.logit.is_finite())
                .map(|ClassProbability { probability, logit, .. }| {
                    format!(
                        "found the probability {probability} and the logit {logit} of a class, expected 0 to 1 and a finite number"
                    )
                }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_and_scores_that_are_none_are_faults() {
        let text = Text {
            text: "text".into(),
            pair: None,
        };
        let classes = |probabilities: &[f64]| Classified::Classes {
            classes: probabilities
                .iter()
                .map(|probability| ClassProbability {
                    label: "label".into(),
                    probability: *probability,
                    logit: 0.0,
                })
                .collect(),
        };
        for (answer, sound) in [
            (classes(&[1.0, 0.0]), true),
            (classes(&[]), false),
            (classes(&[0.5, 1.1]), false),
            (classes(&[f64::NAN]), false),
            (Classified::Score { score: -3.5 }, true),
            (
                Classified::Score {
                    score: f64::INFINITY,
                },
                false,
            ),
        ] {
            assert_eq!(text.fault(&answer).is_none(), sound, "{answer:?}");
        }
    }
}
