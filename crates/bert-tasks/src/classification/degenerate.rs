//! How a run that learnt nothing is told by its predictions.

use bert_metrics::classification::{
    accuracy, majority_share, mean_squared_error, predicted_classes,
};

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
        assert_eq!(degenerate_classes(&[1, 1], &[1, 1]), None);
        assert_eq!(degenerate_scores(&[1.0, 1.0], &[0.0, 0.0]), None);
        let gold = [0.0, 2.5, 5.0];
        assert!(degenerate_scores(&gold, &[2.5, 2.5, 2.5]).is_some());
        assert!(degenerate_scores(&gold, &[5.0, 2.5, 0.0]).is_some());
        assert_eq!(degenerate_scores(&gold, &[1.0, 2.5, 4.0]), None);
    }
}
