//! How a run that learnt nothing is told by its predictions.

use bert_metrics::classification::{
    accuracy, majority_share, mean_squared_error, predicted_classes,
};
use bert_metrics::multi_label::micro_f1;

/// Why predictions show no learning, where they do not: one class alone, or no more right than the most
/// frequent class would be.
pub(super) fn degenerate_classes(gold: &[usize], predicted: &[usize]) -> Option<String> {
    let (accuracy, majority) = (accuracy(gold, predicted), majority_share(gold));
    if majority >= 1.0 {
        // There is nothing to tell apart.
        return None;
    }
    if predicted_classes(predicted) == 1 {
        return Some("one class is predicted for every example".to_owned());
    }
    (accuracy <= majority).then(|| {
        format!(
            "accuracy {:.2} % is no better than the {:.2} % of always answering the most frequent class",
            100.0 * accuracy,
            100.0 * majority
        )
    })
}

/// The same for scores: one number alone, or no nearer than their mean would be.
pub(super) fn degenerate_scores(gold: &[f64], predicted: &[f64]) -> Option<String> {
    let constant = |values: &[f64]| values.windows(2).all(|pair| pair[0] == pair[1]);
    if constant(gold) {
        return None;
    }
    if constant(predicted) {
        return Some("one score is predicted for every example".to_owned());
    }
    let mean = gold.iter().sum::<f64>() / gold.len() as f64;
    let of_the_mean = mean_squared_error(&vec![mean; gold.len()], gold);
    let error = mean_squared_error(predicted, gold);
    (error >= of_the_mean).then(|| {
        format!("a mean squared error of {error:.4} is no better than the {of_the_mean:.4} of always answering the mean")
    })
}

/// The same for labels: none of them right, or every example given the same ones.
pub(super) fn degenerate_labels(gold: &[Vec<bool>], given: &[Vec<bool>]) -> Option<String> {
    let constant = |rows: &[Vec<bool>]| rows.windows(2).all(|pair| pair[0] == pair[1]);
    if constant(gold) {
        return None;
    }
    if constant(given) {
        return Some("the same labels are predicted for every example".to_owned());
    }
    (micro_f1(gold, given) == 0.0).then(|| "no predicted label is right".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_that_learnt_nothing_are_told_apart() {
        let gold = [0, 0, 0, 1, 1];
        for (predicted, expected) in [
            (&[0, 0, 0, 0, 0], Some("one class is predicted")),
            (
                &[1, 0, 0, 0, 1],
                Some("accuracy 60.00 % is no better than the 60.00 %"),
            ),
            (&[0, 0, 0, 0, 1], None),
        ] {
            let reason = degenerate_classes(&gold, predicted);
            match expected {
                Some(text) => assert!(reason.unwrap().contains(text)),
                None => assert_eq!(reason, None),
            }
        }
        let rows = |rows: [[bool; 2]; 2]| rows.map(|row| row.to_vec());
        let gold_labels = rows([[true, false], [false, true]]);
        for (given, expected) in [
            ([[true, false], [true, false]], Some("the same labels")),
            ([[false, true], [true, false]], Some("no predicted label")),
            ([[true, true], [true, false]], None),
        ] {
            let reason = degenerate_labels(&gold_labels, &rows(given));
            assert_eq!(
                reason.is_some_and(|it| it.contains(expected.unwrap())),
                expected.is_some()
            );
        }
        assert_eq!(degenerate_classes(&[1, 1], &[1, 1]), None);
        assert_eq!(degenerate_scores(&[1.0, 1.0], &[0.0, 0.0]), None);
        let gold = [0.0, 2.5, 5.0];
        assert!(degenerate_scores(&gold, &[2.5, 2.5, 2.5]).is_some());
        assert!(degenerate_scores(&gold, &[5.0, 2.5, 0.0]).is_some());
        assert_eq!(degenerate_scores(&gold, &[1.0, 2.5, 4.0]), None);
    }
}
