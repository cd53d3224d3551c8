//! Which of the official scores a task reports, and under which keys.

use crate::classification::{accuracy, binary_f1, macro_f1, matthews_correlation};
use crate::correlation::{pearson, spearman};
use crate::multi_label;

/// The official metrics of a task whose examples have one class, one score, or several labels each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Metric {
    /// The accuracy.
    Accuracy,
    /// The Matthews correlation, then the accuracy.
    Matthews,
    /// The F1 of class 1, then the accuracy.
    F1AndAccuracy,
    /// The mean of the classes' F1, then the accuracy.
    MacroF1AndAccuracy,
    /// The Pearson and the Spearman correlation of scores.
    Correlation,
    /// The micro F1 of labels, their macro F1, then the share of examples whose labels are all right.
    Labels,
}

/// One score of an evaluation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NamedScore {
    /// Its key in `eval_results.json`, without the `eval_` in front.
    pub key: &'static str,
    /// Its name in a table.
    pub name: &'static str,
    /// A fraction of 1; `None` where the examples do not define it, as with a correlation of equal scores.
    pub value: Option<f64>,
}

fn named(key: &'static str, name: &'static str, value: impl Into<Option<f64>>) -> NamedScore {
    NamedScore {
        key,
        name,
        value: value.into(),
    }
}

impl Metric {
    /// Whether the metric compares scores; [`Labels`](Self::Labels) compares labels, and the others compare classes.
    #[must_use]
    pub fn is_of_scores(self) -> bool {
        self == Self::Correlation
    }

    /// The scores of predicted classes; the metric that the task is known for comes first.
    ///
    /// # Panics
    ///
    /// Panics where the metric compares scores or labels, and where the slices differ in length.
    #[must_use]
    pub fn of_classes(self, gold: &[usize], predicted: &[usize]) -> Vec<NamedScore> {
        let accuracy = named("accuracy", "accuracy", accuracy(gold, predicted));
        let first = match self {
            Self::Accuracy => return vec![accuracy],
            Self::Matthews => {
                let value = matthews_correlation(gold, predicted);
                named("matthews_correlation", "Matthews", value)
            }
            Self::F1AndAccuracy => named("f1", "F1", binary_f1(gold, predicted)),
            Self::MacroF1AndAccuracy => {
                let most = gold.iter().chain(predicted).max();
                let classes = most.map_or(0, |most| most + 1);
                named("macro_f1", "macro F1", macro_f1(gold, predicted, classes))
            }
            Self::Correlation => panic!("a correlation compares scores, not classes"),
            Self::Labels => panic!("the metric compares labels, not classes"),
        };
        vec![first, accuracy]
    }

    /// The scores of predicted numbers.
    ///
    /// # Panics
    ///
    /// Panics where the metric does [not compare scores](Self::is_of_scores), and where the slices differ in length.
    #[must_use]
    pub fn of_scores(self, gold: &[f64], predicted: &[f64]) -> Vec<NamedScore> {
        assert!(self.is_of_scores(), "{self:?} compares classes, not scores");
        vec![
            named("pearson", "Pearson", pearson(predicted, gold)),
            named("spearmanr", "Spearman", spearman(predicted, gold)),
        ]
    }

    /// The scores of predicted labels: for each example, which of the labels it has.
    ///
    /// # Panics
    ///
    /// Panics where the metric is not [`Labels`](Self::Labels), and where the slices differ in length.
    #[must_use]
    pub fn of_labels(self, gold: &[Vec<bool>], predicted: &[Vec<bool>]) -> Vec<NamedScore> {
        assert!(self == Self::Labels, "{self:?} does not compare labels");
        let exact = multi_label::exact_match(gold, predicted);
        vec![
            named(
                "micro_f1",
                "micro F1",
                multi_label::micro_f1(gold, predicted),
            ),
            named(
                "macro_f1",
                "macro F1",
                multi_label::macro_f1(gold, predicted),
            ),
            named("accuracy", "exact match", exact),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_metric_reports_its_scores_under_the_official_keys() {
        let (gold, predicted) = ([1, 1, 1, 0], [1, 0, 1, 1]);
        let accuracy = ("accuracy", Some(0.5));
        type Scores<'a> = &'a [(&'a str, Option<f64>)];
        let cases: [(Metric, Scores<'_>); 4] = [
            (Metric::Accuracy, &[accuracy]),
            (
                Metric::Matthews,
                &[("matthews_correlation", Some(-1.0 / 3.0)), accuracy],
            ),
            (Metric::F1AndAccuracy, &[("f1", Some(2.0 / 3.0)), accuracy]),
            (
                Metric::MacroF1AndAccuracy,
                &[("macro_f1", Some(1.0 / 3.0)), accuracy],
            ),
        ];
        for (metric, expected) in cases {
            let scores = metric.of_classes(&gold, &predicted);
            let found: Vec<_> = scores.iter().map(|it| (it.key, it.value)).collect();
            assert_eq!(found, expected, "{metric:?}");
        }
        for (predicted, expected) in [([1.0, 2.0], Some(1.0)), ([1.0, 1.0], None)] {
            let scores = Metric::Correlation.of_scores(&[0.0, 5.0], &predicted);
            let found: Vec<_> = scores.iter().map(|it| (it.key, it.value)).collect();
            assert_eq!(found, [("pearson", expected), ("spearmanr", expected)]);
        }
    }

    #[test]
    fn no_examples_score_zero() {
        let scores = Metric::MacroF1AndAccuracy.of_classes(&[], &[]);
        assert!(scores.iter().all(|score| score.value == Some(0.0)));
    }

    #[test]
    #[should_panic(expected = "compares scores")]
    fn a_correlation_is_not_asked_about_classes() {
        let _ = Metric::Correlation.of_classes(&[0], &[0]);
    }

    #[test]
    #[should_panic(expected = "Accuracy compares classes")]
    fn an_accuracy_is_not_asked_about_scores() {
        let _ = Metric::Accuracy.of_scores(&[0.0], &[0.0]);
    }
}
