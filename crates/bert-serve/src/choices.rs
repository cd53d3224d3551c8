//! Beginnings with their possible endings, and the ending that is chosen.

use serde::Serialize;

use crate::{Item, answerer::is_probability};

/// How many endings a choice may have.
pub const MAX_ENDINGS: usize = 26;

/// A choice among endings, checked: neither the context nor an ending is blank, there are 2 to [`MAX_ENDINGS`] endings,
/// and all texts are within the configured limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The text before.
    pub context: String,
    /// The start of the sentence that the endings finish; may be empty.
    pub start: String,
    /// The endings.
    pub endings: Vec<String>,
}

/// The model's result for one choice.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Chosen {
    /// Which ending is the most likely one, from 0.
    pub choice: usize,
    /// How likely each ending is, 0 to 1, in the order of the endings.
    pub probabilities: Vec<f64>,
}

impl Item for Choice {
    type Answer = Chosen;

    fn length(&self) -> usize {
        let longest = self.endings.iter().map(String::len).max();
        self.context.len() + self.start.len() + longest.unwrap_or(0)
    }

    fn fault(&self, answer: &Chosen) -> Option<String> {
        let endings = self.endings.len();
        if answer.probabilities.len() != endings || answer.choice >= endings {
            return Some(format!(
                "found ending {} of {} probabilities, expected one of {endings} endings",
                answer.choice,
                answer.probabilities.len()
            ));
        }
        let wrong = answer.probabilities.iter().find(|p| !is_probability(**p));
        wrong.map(|p| format!("found the probability {p} of an ending, expected 0 to 1"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_that_is_none_of_the_endings_is_a_fault() {
        let choice = Choice {
            context: "context".into(),
            start: String::new(),
            endings: vec!["a".into(), "b".into()],
        };
        for (chosen, probabilities, sound) in [
            (1, vec![0.0, 1.0], true),
            (2, vec![0.5, 0.5], false),
            (0, vec![1.0], false),
            (0, vec![0.5, 0.25, 0.25], false),
            (0, vec![f64::NAN, 0.5], false),
            (0, vec![1.5, 0.5], false),
        ] {
            let answer = Chosen {
                choice: chosen,
                probabilities,
            };
            assert_eq!(choice.fault(&answer).is_none(), sound, "{answer:?}");
        }
    }
}
