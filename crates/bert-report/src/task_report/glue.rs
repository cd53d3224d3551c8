//! Sentence classification and regression: who is taken for whom, and the worst mistakes.

use serde::{Deserialize, Serialize};

use super::{
    null_as_nan, nulls_as_nan, percent,
    worst::{Worst, descending},
};
use crate::ReportError;

/// How many points of a regression are drawn at most.
const SCATTER_POINTS: usize = 1000;

/// A classified example.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassifiedText {
    /// The example's id.
    pub id: String,
    /// The first sentence.
    pub text_a: String,
    /// The second, where the task has two.
    #[serde(default)]
    pub text_b: Option<String>,
    /// Index of the right label.
    pub gold: usize,
    /// Index of the predicted label.
    pub predicted: usize,
    /// Each label's probability, 0 to 1.
    #[serde(deserialize_with = "nulls_as_nan")]
    pub probabilities: Vec<f64>,
}

impl ClassifiedText {
    fn confidence(&self) -> f64 {
        let predicted = self.probabilities.get(self.predicted);
        predicted.copied().unwrap_or(f64::NAN)
    }
}

/// A scored example.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RegressionExample {
    /// The example's id.
    pub id: String,
    /// The first sentence.
    pub text_a: String,
    /// The second, where the task has two.
    #[serde(default)]
    pub text_b: Option<String>,
    /// The right score.
    #[serde(deserialize_with = "null_as_nan")]
    pub gold: f64,
    /// The predicted score.
    #[serde(deserialize_with = "null_as_nan")]
    pub predicted: f64,
}

impl RegressionExample {
    fn error(&self) -> f64 {
        (self.predicted - self.gold).abs()
    }
}

/// Scores of one label against all others, in percent; 0 where there is nothing to divide by.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ClassScores {
    /// Of the examples given this label, those that have it.
    pub precision: f64,
    /// Of the examples that have this label, those given it.
    pub recall: f64,
    /// The harmonic mean of both.
    pub f1: f64,
}

/// What is shown of one evaluation file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GlueSet {
    /// What the file is called, such as `dev` or `dev_mismatched`.
    pub name: String,
    /// How many examples it has.
    pub count: u64,
    /// Classes or scores.
    #[serde(flatten)]
    pub scores: GlueScores,
}

/// The kinds of a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum GlueScores {
    /// Labels.
    Classification {
        /// The labels, in order of their indices.
        labels: Vec<String>,
        /// Examples by their right label (row) and the predicted one (column).
        confusion: Vec<Vec<u64>>,
        /// A label's scores, in order of the labels.
        classes: Vec<ClassScores>,
        /// The most confident mistakes first.
        examples: Vec<ClassifiedText>,
    },
    /// Scores.
    Regression {
        /// Right and predicted scores, of as many examples evenly spread as are drawn.
        points: Vec<(f64, f64)>,
        /// Mean of the absolute errors; absent where none is finite.
        mean_error: Option<f64>,
        /// The largest errors first.
        examples: Vec<RegressionExample>,
    },
}

/// The GLUE part of a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GlueReport {
    /// The evaluation files: one, or two for MNLI.
    pub sets: Vec<GlueSet>,
}

impl GlueSet {
    /// Sums up all examples of a task with labels in one pass.
    ///
    /// # Errors
    ///
    /// Fails where an example's label is not one of `labels`.
    pub fn classification(
        name: impl Into<String>,
        labels: Vec<String>,
        examples: impl IntoIterator<Item = ClassifiedText>,
    ) -> Result<Self, ReportError> {
        let mut confusion = vec![vec![0_u64; labels.len()]; labels.len()];
        let mut worst = Worst::new(|left: &ClassifiedText, right| {
            descending(left.confidence(), right.confidence())
        });
        let mut count = 0;
        for example in examples {
            let (gold, predicted) = (example.gold, example.predicted);
            let cell = confusion
                .get_mut(gold)
                .and_then(|row| row.get_mut(predicted));
            let Some(cell) = cell else {
                return Err(ReportError::Label {
                    id: example.id,
                    found: gold.max(predicted),
                    labels: labels.len(),
                });
            };
            *cell += 1;
            count += 1;
            if gold != predicted {
                worst.offer(example);
            }
        }
        Ok(Self {
            name: name.into(),
            count,
            scores: GlueScores::Classification {
                classes: (0..labels.len())
                    .map(|class| scores_of(&confusion, class))
                    .collect(),
                labels,
                confusion,
                examples: worst.into_vec(),
            },
        })
    }

    /// Sums up all examples of a task with scores in one pass.
    pub fn regression(
        name: impl Into<String>,
        examples: impl IntoIterator<Item = RegressionExample>,
    ) -> Self {
        let mut worst =
            Worst::new(|left: &RegressionExample, right| descending(left.error(), right.error()));
        let mut points = Vec::new();
        let (mut count, mut finite, mut error, mut every) = (0_u64, 0_u64, 0.0, 1_u64);
        for example in examples {
            if example.error().is_finite() {
                if finite.is_multiple_of(every) {
                    points.push((example.gold, example.predicted));
                }
                finite += 1;
                error += example.error();
            }
            if points.len() > SCATTER_POINTS {
                // Every second one of those so far, and of those to come.
                let mut keep = false;
                points.retain(|_| {
                    keep = !keep;
                    keep
                });
                every *= 2;
            }
            count += 1;
            worst.offer(example);
        }
        Self {
            name: name.into(),
            count,
            scores: GlueScores::Regression {
                points,
                mean_error: (finite > 0).then(|| error / finite as f64),
                examples: worst.into_vec(),
            },
        }
    }
}

fn scores_of(confusion: &[Vec<u64>], class: usize) -> ClassScores {
    let at = |row: &Vec<u64>| row.get(class).copied().unwrap_or(0);
    let right = confusion.get(class).map_or(0, at) as f64;
    let given: u64 = confusion.iter().map(at).sum();
    let have: u64 = confusion.get(class).map_or(0, |row| row.iter().sum());
    ClassScores {
        precision: percent(right, given),
        recall: percent(right, have),
        f1: percent(2.0 * right, given + have),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(gold: usize, predicted: usize, confidence: f64) -> ClassifiedText {
        let mut probabilities = vec![0.0; 3];
        if let Some(probability) = probabilities.get_mut(predicted) {
            *probability = confidence;
        }
        ClassifiedText {
            id: confidence.to_string(),
            text_a: String::new(),
            text_b: None,
            gold,
            predicted,
            probabilities,
        }
    }

    fn labels() -> Vec<String> {
        ["a", "b", "c"].map(str::to_owned).to_vec()
    }

    #[test]
    fn a_confusion_matrix_counts_every_example() {
        let examples = [
            example(0, 0, 0.9),
            example(0, 1, 0.6),
            example(1, 1, 0.8),
            example(2, 1, 0.7),
        ];
        let set = GlueSet::classification("dev", labels(), examples).unwrap();
        let GlueScores::Classification {
            confusion,
            classes,
            examples,
            ..
        } = set.scores
        else {
            panic!("labels were given");
        };
        assert_eq!(confusion, [[1, 1, 0], [0, 1, 0], [0, 1, 0]]);
        assert_eq!(set.count, 4);
        let rounded: Vec<[i64; 3]> = classes
            .iter()
            .map(|c| [c.precision, c.recall, c.f1].map(|score| score.round() as i64))
            .collect();
        assert_eq!(rounded, [[100, 50, 67], [33, 100, 50], [0, 0, 0]]);
        let ids: Vec<&str> = examples.iter().map(|e| e.id.as_str()).collect();
        assert_eq!(ids, ["0.7", "0.6"]);
    }

    #[test]
    fn a_label_that_there_is_not_is_named() {
        let error = GlueSet::classification("dev", labels(), [example(0, 3, 0.5)]);
        assert_eq!(
            error.expect_err("no such label").to_string(),
            "example \"0.5\": found label 3, expected one below 3"
        );
    }

    #[test]
    fn the_largest_errors_come_first_and_points_are_thinned_evenly() {
        let examples = (0..5000).map(|index| RegressionExample {
            id: index.to_string(),
            text_a: String::new(),
            text_b: None,
            gold: f64::from(index),
            predicted: if index == 4998 { f64::NAN } else { 0.0 },
        });
        let set = GlueSet::regression("dev", examples);
        let GlueScores::Regression {
            points,
            mean_error,
            examples,
        } = set.scores
        else {
            panic!("scores were given");
        };
        assert!((500..=1000).contains(&points.len()), "{}", points.len());
        assert!(
            points.windows(2).all(|pair| pair[1].0 - pair[0].0 == 8.0),
            "{points:?}"
        );
        assert!(mean_error.is_some_and(|mean| (mean - 2500.0).abs() < 1.0));
        assert_eq!(examples.first().map(|e| e.id.as_str()), Some("4999"));
        assert_eq!(set.count, 5000);
    }
}
