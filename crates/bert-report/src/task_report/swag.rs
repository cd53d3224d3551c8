//! Multiple choice: the most confident mistakes.

use serde::{Deserialize, Serialize};

use super::{
    null_as_nan, nulls_as_nan, percent,
    worst::{Worst, descending},
};

/// A question with the ending chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChosenEnding {
    /// The row's id.
    pub id: String,
    /// The sentence before.
    pub context: String,
    /// How the next sentence starts.
    pub start: String,
    /// How it may go on.
    pub endings: Vec<String>,
    /// Each ending's probability, 0 to 1.
    #[serde(deserialize_with = "nulls_as_nan")]
    pub probabilities: Vec<f64>,
    /// Index of the right ending.
    pub gold: usize,
    /// Index of the chosen ending.
    pub chosen: usize,
}

impl ChosenEnding {
    fn confidence(&self) -> f64 {
        let chosen = self.probabilities.get(self.chosen);
        chosen.copied().unwrap_or(f64::NAN)
    }
}

/// The multiple choice part of a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SwagReport {
    /// How many questions there are.
    pub count: u64,
    /// Right choices, in percent.
    #[serde(deserialize_with = "null_as_nan")]
    pub accuracy: f64,
    /// The most confident wrong choices first.
    pub examples: Vec<ChosenEnding>,
}

impl SwagReport {
    /// Sums up all examples in one pass.
    pub fn from_examples(examples: impl IntoIterator<Item = ChosenEnding>) -> Self {
        let (mut count, mut right) = (0, 0_u64);
        let mut worst = Worst::new(|left: &ChosenEnding, right| {
            descending(left.confidence(), right.confidence())
        });
        for example in examples {
            count += 1;
            if example.gold == example.chosen {
                right += 1;
            } else {
                worst.offer(example);
            }
        }
        Self {
            count,
            accuracy: percent(right as f64, count),
            examples: worst.into_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_confident_mistakes_come_first() {
        let example = |chosen: usize, confidence: f64| {
            let mut probabilities = vec![0.1; 4];
            if let Some(probability) = probabilities.get_mut(chosen) {
                *probability = confidence;
            }
            ChosenEnding {
                id: confidence.to_string(),
                context: String::new(),
                start: String::new(),
                endings: vec![String::new(); 4],
                probabilities,
                gold: 1,
                chosen,
            }
        };
        let examples = [
            example(0, 0.4),
            example(1, 0.9),
            example(3, 0.7),
            // No such ending: nothing is known of its probability.
            example(7, 0.99),
        ];
        let report = SwagReport::from_examples(examples);
        let ids: Vec<&str> = report.examples.iter().map(|e| e.id.as_str()).collect();
        assert_eq!(ids, ["0.7", "0.4", "0.99"]);
        assert_eq!((report.count, report.accuracy), (4, 25.0));
        assert_eq!(SwagReport::from_examples([]).accuracy, 0.0);
    }
}
