//! Sentence classification and regression: who is taken for whom, and the worst mistakes.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{
    null_as_nan, percent,
    probabilities::Probabilities,
    worst::{Worst, descending},
};
use crate::ReportError;

/// How many labels a report shows at most. Of more, those with the most mistakes are shown: a table of all pairs of
/// labels would grow with the square of their number.
pub const SHOWN_CLASSES: usize = 30;

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
    /// The labels' probabilities. A [`GlueSet`] keeps those of all labels where there are up to 100 labels, else the
    /// ten likeliest and that of the right label.
    pub probabilities: Probabilities,
}

impl ClassifiedText {
    fn confidence(&self) -> f64 {
        self.probabilities.of(self.predicted).unwrap_or(f64::NAN)
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
        /// The indices of the labels with the most mistakes, the most first, where there are more than
        /// [`SHOWN_CLASSES`] labels; absent where `confusion` and `classes` are of every label.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        worst: Option<Vec<usize>>,
        /// Examples by their right label (row) and the predicted one (column).
        confusion: Vec<Vec<u64>>,
        /// Of each row, the examples whose predicted label has no column; empty where every label has one.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        others: Vec<u64>,
        /// The labels' scores, in the order of the rows.
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
        let mut tally = Tally::new(labels.len());
        let mut worst = Worst::new(|left: &ClassifiedText, right| {
            descending(left.confidence(), right.confidence())
        });
        let mut count = 0;
        for mut example in examples {
            let (gold, predicted) = (example.gold, example.predicted);
            if gold.max(predicted) >= labels.len() {
                return Err(ReportError::Label {
                    id: example.id,
                    found: gold.max(predicted),
                    labels: labels.len(),
                });
            }
            tally.count(gold, predicted);
            count += 1;
            if gold != predicted {
                example.probabilities = example.probabilities.bounded(gold);
                worst.offer(example);
            }
        }
        let shown = (labels.len() > SHOWN_CLASSES).then(|| tally.worst());
        let rows: Vec<usize> = shown.clone().unwrap_or_else(|| (0..labels.len()).collect());
        let confusion: Vec<Vec<u64>> = rows
            .iter()
            .map(|gold| rows.iter().map(|class| tally.cell(*gold, *class)).collect())
            .collect();
        let others = rows.iter().zip(&confusion).map(|(gold, row)| {
            let have = tally.classes[*gold].have;
            have - row.iter().sum::<u64>()
        });
        Ok(Self {
            name: name.into(),
            count,
            scores: GlueScores::Classification {
                classes: rows
                    .iter()
                    .map(|class| tally.classes[*class].scores())
                    .collect(),
                others: if shown.is_some() {
                    others.collect()
                } else {
                    Vec::new()
                },
                labels,
                worst: shown,
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

/// How many examples have which label and are given which. Pairs that do not occur take no space.
struct Tally {
    classes: Vec<ClassCounts>,
    pairs: HashMap<(usize, usize), u64>,
}

#[derive(Clone, Copy, Default)]
struct ClassCounts {
    right: u64,
    /// How many are given the label.
    given: u64,
    /// How many have it.
    have: u64,
}

impl ClassCounts {
    fn scores(self) -> ClassScores {
        let right = self.right as f64;
        ClassScores {
            precision: percent(right, self.given),
            recall: percent(right, self.have),
            f1: percent(2.0 * right, self.given + self.have),
        }
    }

    /// Examples that have the label or are given it, but not both.
    fn mistakes(self) -> u64 {
        self.given + self.have - 2 * self.right
    }
}

impl Tally {
    fn new(labels: usize) -> Self {
        Self {
            classes: vec![ClassCounts::default(); labels],
            pairs: HashMap::new(),
        }
    }

    fn count(&mut self, gold: usize, predicted: usize) {
        *self.pairs.entry((gold, predicted)).or_default() += 1;
        self.classes[gold].have += 1;
        self.classes[predicted].given += 1;
        self.classes[gold].right += u64::from(gold == predicted);
    }

    fn cell(&self, gold: usize, predicted: usize) -> u64 {
        self.pairs.get(&(gold, predicted)).copied().unwrap_or(0)
    }

    /// The labels with the most mistakes, the most first, and of equals the first.
    fn worst(&self) -> Vec<usize> {
        let mut classes: Vec<usize> = (0..self.classes.len()).collect();
        classes.sort_by_key(|class| std::cmp::Reverse(self.classes[*class].mistakes()));
        classes.truncate(SHOWN_CLASSES);
        classes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
            probabilities: probabilities.into(),
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
    fn of_many_labels_the_worst_are_shown_in_bounded_space() {
        const LABELS: usize = 2000;
        // Label 7 is always taken for 8, and 1990 twice for 7; every other label is right twice.
        let examples = (0..2 * LABELS).map(|index| {
            let gold = index / 2;
            let predicted = match gold {
                7 => 8,
                1990 => 7,
                gold => gold,
            };
            let mut probabilities = vec![0.0; LABELS];
            probabilities[predicted] = 0.75;
            ClassifiedText {
                id: index.to_string(),
                text_a: String::new(),
                text_b: None,
                gold,
                predicted,
                probabilities: probabilities.into(),
            }
        });
        let labels = (0..LABELS).map(|label| format!("label {label}")).collect();
        let set = GlueSet::classification("dev", labels, examples).unwrap();
        let json = serde_json::to_string(&set).unwrap();
        assert!(json.len() < 100_000, "{} bytes", json.len());
        let back: GlueSet = serde_json::from_str(&json).unwrap();
        assert_eq!(back, set);
        let GlueScores::Classification {
            worst,
            confusion,
            others,
            classes,
            examples,
            ..
        } = set.scores
        else {
            panic!("labels were given");
        };
        let worst = worst.expect("not all are shown");
        assert_eq!(worst[..3], [7, 8, 1990]);
        assert_eq!(worst.len(), SHOWN_CLASSES);
        assert_eq!(confusion[0][..3], [0, 2, 0]);
        assert_eq!(confusion[1][..3], [0, 2, 0]);
        assert_eq!(confusion[2][..3], [2, 0, 0]);
        assert_eq!(others, [0; SHOWN_CLASSES]);
        assert_eq!((classes[0].recall, classes[1].precision), (0.0, 50.0));
        assert_eq!(examples.len(), 4);
        // The likeliest, and that of the label.
        let rare = examples
            .iter()
            .find(|example| example.gold == 1990)
            .unwrap();
        assert_eq!(rare.probabilities.entries().len(), 11);
    }

    proptest! {
        #[test]
        fn every_example_is_counted_once(
            pairs in prop::collection::vec((0_usize..40, 0_usize..40), 0..300),
            labels in prop::sample::select(vec![40_usize, SHOWN_CLASSES]),
        ) {
            let pairs: Vec<_> = pairs.iter().map(|(gold, other)| (gold % labels, other % labels)).collect();
            let examples = pairs.iter().map(|(gold, predicted)| example(*gold, *predicted, 0.5));
            let names = (0..labels).map(|label| label.to_string()).collect();
            let set = GlueSet::classification("dev", names, examples).unwrap();
            let GlueScores::Classification { worst, confusion, others, .. } = set.scores else {
                panic!("labels were given");
            };
            prop_assert_eq!(worst.is_some(), labels > SHOWN_CLASSES);
            prop_assert_eq!(others.len(), if labels > SHOWN_CLASSES { SHOWN_CLASSES } else { 0 });
            let rows = worst.unwrap_or_else(|| (0..labels).collect());
            for (row, gold) in rows.iter().enumerate() {
                let have = pairs.iter().filter(|(g, _)| g == gold).count() as u64;
                let other = others.get(row).copied().unwrap_or(0);
                prop_assert_eq!(confusion[row].iter().sum::<u64>() + other, have);
            }
        }
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
