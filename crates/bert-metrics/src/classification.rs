//! Scores of predicted classes, and the mean losses of an evaluation.
//!
//! Labels and predictions are class indices, one of each for every example and in the same order. Scores are fractions,
//! not percentages, and equal scikit-learn's. No examples at all give 0, as in [`crate::squad`].

use std::collections::{HashMap, HashSet};

use serde::Serialize;

/// How often each class was predicted for each label; serialises as `{"counts": [[…], …]}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConfusionMatrix {
    /// Number of examples, as `counts[label][prediction]`.
    pub counts: Vec<Vec<usize>>,
}

impl ConfusionMatrix {
    /// Counts the examples of each label and prediction.
    ///
    /// # Panics
    ///
    /// Panics where the slices differ in length and where an index is not below `classes`.
    pub fn new(labels: &[usize], predictions: &[usize], classes: usize) -> Self {
        let mut counts = vec![vec![0; classes]; classes];
        for (label, prediction) in pairs(labels, predictions) {
            assert!(
                label < classes && prediction < classes,
                "label {label} and prediction {prediction} must be below {classes}"
            );
            counts[label][prediction] += 1;
        }
        Self { counts }
    }

    /// F1 with `class` as the positive class; `None` where neither a label nor a prediction is of this class.
    fn f1(&self, class: usize) -> Option<f64> {
        let labels: usize = self.counts[class].iter().sum();
        let predictions: usize = self.counts.iter().map(|row| row[class]).sum();
        let occurrences = labels + predictions;
        (occurrences > 0).then(|| fraction(2 * self.counts[class][class], occurrences))
    }
}

/// The fraction of examples whose prediction is the label.
///
/// # Panics
///
/// Panics where the slices differ in length.
pub fn accuracy(labels: &[usize], predictions: &[usize]) -> f64 {
    let correct = pairs(labels, predictions)
        .filter(|(label, prediction)| label == prediction)
        .count();
    fraction(correct, labels.len())
}

/// F1 of class 1, the harmonic mean of its precision and its recall; any other class is negative.
///
/// With `TP` true positives, `FP` false positives and `FN` false negatives it is `2 TP / (2 TP + FP + FN)`
/// (van Rijsbergen 1979), and 0 where no label and no prediction is positive: `f1_score(zero_division=0)` of
/// scikit-learn.
///
/// # Panics
///
/// Panics where the slices differ in length.
pub fn binary_f1(labels: &[usize], predictions: &[usize]) -> f64 {
    let (mut true_positives, mut positives) = (0, 0);
    for (label, prediction) in pairs(labels, predictions) {
        true_positives += usize::from(label == 1 && prediction == 1);
        positives += usize::from(label == 1) + usize::from(prediction == 1);
    }
    fraction(2 * true_positives, positives)
}

/// The unweighted mean of the F1 of every class that occurs among the labels or the predictions.
///
/// It is scikit-learn's `f1_score(average="macro")`, the mean of F1 values, not the F1 of mean precision and recall.
///
/// # Panics
///
/// Panics where the slices differ in length and where an index is not below `classes`.
pub fn macro_f1(labels: &[usize], predictions: &[usize], classes: usize) -> f64 {
    let matrix = ConfusionMatrix::new(labels, predictions, classes);
    let scores: Vec<f64> = (0..classes).filter_map(|class| matrix.f1(class)).collect();
    if scores.is_empty() {
        return 0.0;
    }
    scores.iter().sum::<f64>() / scores.len() as f64
}

/// The Matthews correlation of labels and predictions, between -1 and 1, for any number of classes.
///
/// With `n` examples of which `c` are right, and `t_k` labels and `p_k` predictions of class `k`, it is
/// `(c n - Σ t_k p_k) / sqrt((n² - Σ p_k²) (n² - Σ t_k²))` (Gorodkin 2004, "Comparing two K-category assignments by a
/// K-category correlation coefficient"; Matthews 1975 for two classes). Where all labels or all predictions are of one
/// class it is 0, as in scikit-learn.
///
/// # Panics
///
/// Panics where the slices differ in length.
pub fn matthews_correlation(labels: &[usize], predictions: &[usize]) -> f64 {
    // Integers keep the differences exact, whatever the number of examples.
    let mut counts: HashMap<usize, (i128, i128)> = HashMap::new();
    let mut correct = 0;
    for (label, prediction) in pairs(labels, predictions) {
        counts.entry(label).or_default().0 += 1;
        counts.entry(prediction).or_default().1 += 1;
        correct += i128::from(label == prediction);
    }
    let total = labels.len() as i128;
    let mut covariance = correct * total;
    let mut label_variance = total * total;
    let mut prediction_variance = total * total;
    for (labels, predictions) in counts.into_values() {
        covariance -= labels * predictions;
        label_variance -= labels * labels;
        prediction_variance -= predictions * predictions;
    }
    if label_variance == 0 || prediction_variance == 0 {
        return 0.0;
    }
    covariance as f64 / (label_variance as f64 * prediction_variance as f64).sqrt()
}

/// The fraction of the most frequent label: the accuracy of a model that always predicts it.
pub fn majority_share(labels: &[usize]) -> f64 {
    let mut counts: HashMap<usize, usize> = HashMap::new();
    for &label in labels {
        *counts.entry(label).or_default() += 1;
    }
    fraction(counts.into_values().max().unwrap_or(0), labels.len())
}

/// The number of different classes among the predictions; 1 is a model that looks at no input.
pub fn predicted_classes(predictions: &[usize]) -> usize {
    predictions.iter().collect::<HashSet<_>>().len()
}

/// The mean over the examples of `-ln softmax(logits)[label]`, the loss that a classifier is trained with.
///
/// It is computed in `f64` and for logits of any size; finite logits give a finite result.
///
/// ```
/// use bert_metrics::classification::mean_cross_entropy;
///
/// let logits = [1000.0, 1000.0, 0.0, 3.0_f32.ln()];
/// let loss = mean_cross_entropy(logits.chunks_exact(2), &[0, 1]);
/// assert!((loss - (2.0_f64.ln() + (4.0_f64 / 3.0).ln()) / 2.0).abs() < 1e-7);
/// ```
///
/// # Panics
///
/// Panics where there is not one row of logits for each label and where a row has no logit for its label.
pub fn mean_cross_entropy(
    logits: impl IntoIterator<Item = impl AsRef<[f32]>>,
    labels: &[usize],
) -> f64 {
    let mut examples = 0;
    let mut sum = 0.0;
    for row in logits {
        assert!(
            examples < labels.len(),
            "more rows of logits than the {} labels",
            labels.len()
        );
        sum += cross_entropy(row.as_ref(), labels[examples]);
        examples += 1;
    }
    assert_eq!(examples, labels.len(), "rows of logits and labels");
    mean(sum, examples)
}

/// The mean of the squared differences of predictions and gold scores, the loss of a regression.
///
/// # Panics
///
/// Panics where the slices differ in length.
pub fn mean_squared_error(predictions: &[f64], scores: &[f64]) -> f64 {
    assert_eq!(predictions.len(), scores.len(), "predictions and scores");
    let sum = predictions
        .iter()
        .zip(scores)
        .map(|(prediction, score)| (prediction - score).powi(2))
        .sum();
    mean(sum, scores.len())
}

fn cross_entropy(logits: &[f32], label: usize) -> f64 {
    assert!(
        label < logits.len(),
        "label {label} must be below the {} logits",
        logits.len()
    );
    let logit = |class: usize| f64::from(logits[class]);
    let best = (0..logits.len())
        .map(logit)
        .fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = (0..logits.len())
        .map(|class| (logit(class) - best).exp())
        .sum();
    sum.ln() - (logit(label) - best)
}

fn pairs<'a>(
    labels: &'a [usize],
    predictions: &'a [usize],
) -> impl Iterator<Item = (usize, usize)> + 'a {
    assert_eq!(labels.len(), predictions.len(), "labels and predictions");
    labels.iter().copied().zip(predictions.iter().copied())
}

fn fraction(part: usize, total: usize) -> f64 {
    mean(part as f64, total)
}

fn mean(sum: f64, total: usize) -> f64 {
    if total == 0 {
        return 0.0;
    }
    sum / total as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn scores_of_small_cases() {
        // Labels, predictions; accuracy, F1, macro F1 and Matthews correlation.
        let cases: [(&[usize], &[usize], [f64; 4]); 9] = [
            (&[], &[], [0.0, 0.0, 0.0, 0.0]),
            (&[0], &[0], [1.0, 0.0, 1.0, 0.0]),
            (&[1], &[1], [1.0, 1.0, 1.0, 0.0]),
            (&[0, 1], &[0, 1], [1.0, 1.0, 1.0, 1.0]),
            (&[0, 1], &[1, 0], [0.0, 0.0, 0.0, -1.0]),
            (&[0, 1], &[1, 1], [0.5, 2.0 / 3.0, 1.0 / 3.0, 0.0]),
            (&[0, 0], &[0, 1], [0.5, 0.0, 1.0 / 3.0, 0.0]),
            (
                &[1, 1, 1, 0],
                &[1, 0, 1, 1],
                [0.5, 2.0 / 3.0, 1.0 / 3.0, -1.0 / 3.0],
            ),
            // Class 1 occurs nowhere and does not count.
            (&[0, 2], &[0, 2], [1.0, 0.0, 1.0, 1.0]),
        ];
        for (labels, predictions, expected) in cases {
            let scores = [
                accuracy(labels, predictions),
                binary_f1(labels, predictions),
                macro_f1(labels, predictions, 3),
                matthews_correlation(labels, predictions),
            ];
            assert_eq!(scores, expected, "{labels:?} {predictions:?}");
        }
    }

    #[test]
    fn rows_of_the_confusion_matrix_are_labels() {
        let matrix = ConfusionMatrix::new(&[0, 0, 1], &[1, 1, 0], 3);
        assert_eq!(matrix.counts, [[0, 2, 0], [1, 0, 0], [0, 0, 0]]);
        let json = serde_json::to_string(&matrix).expect("counts serialise");
        assert_eq!(json, r#"{"counts":[[0,2,0],[1,0,0],[0,0,0]]}"#);
    }

    #[test]
    fn majority_and_predicted_classes() {
        let cases: [(&[usize], f64, usize); 4] = [
            (&[], 0.0, 0),
            (&[7, 7], 1.0, 1),
            (&[0, 2, 2, 1], 0.5, 3),
            (&[usize::MAX, 0], 0.5, 2),
        ];
        for (classes, share, different) in cases {
            assert_eq!(majority_share(classes), share, "{classes:?}");
            assert_eq!(predicted_classes(classes), different, "{classes:?}");
        }
    }

    #[test]
    fn cross_entropy_of_logits_of_any_size() {
        let ln_2 = 2.0_f64.ln();
        let cases: [(&[f32], usize, f64); 6] = [
            (&[0.0], 0, 0.0),
            (&[0.0, 0.0], 1, ln_2),
            (&[-3e38, -3e38], 0, ln_2),
            (&[1e30, 1e30, -1e30], 1, ln_2),
            (&[1000.0, 0.0], 1, 1000.0),
            (&[0.0, f32::NEG_INFINITY], 1, f64::INFINITY),
        ];
        for (logits, label, expected) in cases {
            let loss = mean_cross_entropy([logits], &[label]);
            assert_eq!(loss, expected, "{logits:?}");
        }
        assert_eq!(mean_cross_entropy([[0.0_f32; 2]; 0], &[]), 0.0);
        assert!(mean_cross_entropy([[f32::NAN, 0.0]], &[1]).is_nan());
    }

    #[test]
    fn squared_errors_are_averaged() {
        assert_eq!(mean_squared_error(&[1.0, 5.0], &[0.0, 2.0]), 5.0);
        assert_eq!(mean_squared_error(&[], &[]), 0.0);
    }

    #[test]
    #[should_panic(expected = "labels and predictions")]
    fn one_prediction_for_each_label() {
        accuracy(&[0, 1], &[0]);
    }

    #[test]
    #[should_panic(expected = "label 0 and prediction 2 must be below 2")]
    fn predictions_are_below_the_number_of_classes() {
        macro_f1(&[0], &[2], 2);
    }

    #[test]
    #[should_panic(expected = "rows of logits and labels")]
    fn one_row_of_logits_for_each_label() {
        mean_cross_entropy([[0.0_f32; 2]], &[0, 1]);
    }

    #[test]
    #[should_panic(expected = "more rows of logits than the 1 labels")]
    fn one_label_for_each_row_of_logits() {
        mean_cross_entropy([[0.0_f32; 2]; 2], &[0]);
    }

    fn examples(classes: usize) -> impl Strategy<Value = Vec<(usize, usize)>> {
        proptest::collection::vec((0..classes, 0..classes), 0..40)
    }

    proptest! {
        #[test]
        fn scores_are_bounded_symmetric_and_independent_of_the_order(
            (examples, shuffled) in examples(3)
                .prop_flat_map(|examples| (Just(examples.clone()), Just(examples).prop_shuffle())),
        ) {
            let scores = |labels: &[usize], predictions: &[usize]| {
                [
                    accuracy(labels, predictions),
                    binary_f1(labels, predictions),
                    macro_f1(labels, predictions, 3),
                    matthews_correlation(labels, predictions),
                ]
            };
            let (labels, predictions): (Vec<_>, Vec<_>) = examples.into_iter().unzip();
            let expected = scores(&labels, &predictions);
            prop_assert!(expected[..3].iter().all(|score| (0.0..=1.0).contains(score)));
            prop_assert!((-1.0..=1.0).contains(&expected[3]));
            prop_assert_eq!(scores(&predictions, &labels), expected);
            let (labels, predictions): (Vec<_>, Vec<_>) = shuffled.into_iter().unzip();
            prop_assert_eq!(scores(&labels, &predictions), expected);
        }

        #[test]
        fn the_majority_share_is_an_accuracy(examples in examples(4)) {
            let (labels, _): (Vec<_>, Vec<_>) = examples.into_iter().unzip();
            let best = (0..4)
                .map(|class| accuracy(&labels, &vec![class; labels.len()]))
                .fold(0.0, f64::max);
            prop_assert_eq!(majority_share(&labels), best);
        }

        #[test]
        fn cross_entropies_of_an_example_make_a_distribution(
            logits in proptest::collection::vec(-30.0_f32..30.0, 1..6),
        ) {
            let sum: f64 = (0..logits.len())
                .map(|label| (-mean_cross_entropy([&logits], &[label])).exp())
                .sum();
            prop_assert!((sum - 1.0).abs() < 1e-12, "{}", sum);
        }
    }
}
