//! Choices: the class of a text or a pair of texts, the ending of a story.

use crate::{PredictionError, softmax::softmax};

/// One example's logits turned into a choice among classes or endings.
#[derive(Debug, Clone, PartialEq)]
pub struct ChoicePrediction {
    /// Index of the largest logit; the first of equal ones.
    pub class: usize,
    /// Softmax of the logits, in their order; sums to 1 up to rounding.
    pub probabilities: Vec<f64>,
}

/// What a model says of a whole example: a text, a pair of texts or a choice among endings.
#[derive(Debug, Clone, PartialEq)]
pub enum ExamplePrediction {
    /// One of the classes or endings.
    Class(ChoicePrediction),
    /// Those of several labels that fit.
    Labels(LabelsPrediction),
    /// The score of a regression.
    Score(f64),
}

/// One example's logits turned into labels, of which it may have several or none.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelsPrediction {
    /// The sigmoid of each logit: the probability of each label by itself.
    pub probabilities: Vec<f64>,
}

impl LabelsPrediction {
    /// Those whose probability is above a threshold.
    #[must_use]
    pub fn above(&self, threshold: f64) -> Vec<usize> {
        let all = self.probabilities.iter().enumerate();
        all.filter(|(_, probability)| **probability > threshold)
            .map(|(label, _)| label)
            .collect()
    }
}

impl ExamplePrediction {
    /// Reads the logits of a regression's example: its score is the first.
    ///
    /// # Errors
    ///
    /// As [`choose`].
    pub fn score_of(logits: &[f32]) -> Result<Self, PredictionError> {
        check(logits)?;
        Ok(Self::Score(f64::from(logits[0])))
    }

    /// Reads the logits of an example that may have several labels.
    ///
    /// # Errors
    ///
    /// As [`choose`].
    pub fn labels_of(logits: &[f32]) -> Result<Self, PredictionError> {
        check(logits)?;
        let sigmoid = |logit: &f32| 1.0 / (1.0 + (-f64::from(*logit)).exp());
        Ok(Self::Labels(LabelsPrediction {
            probabilities: logits.iter().map(sigmoid).collect(),
        }))
    }

    /// The class, where the prediction is one.
    #[must_use]
    pub fn class(&self) -> Option<usize> {
        match self {
            Self::Class(choice) => Some(choice.class),
            Self::Labels(_) | Self::Score(_) => None,
        }
    }

    /// The score, where the prediction is one.
    #[must_use]
    pub fn score(&self) -> Option<f64> {
        match self {
            Self::Class(_) | Self::Labels(_) => None,
            Self::Score(score) => Some(*score),
        }
    }
}

/// Chooses the class with the largest logit; the first of equal ones wins, as in NumPy's `argmax`.
///
/// ```
/// use bert_prediction::choice::choose;
///
/// let prediction = choose(&[0.5, 2.5, -1.0])?;
/// assert_eq!(prediction.class, 1);
/// assert!(prediction.probabilities[1] > 0.8);
/// # Ok::<_, bert_prediction::PredictionError>(())
/// ```
///
/// # Errors
///
/// Fails where there are no logits and on a logit that is not finite. The message does not say which example it is.
pub fn choose(logits: &[f32]) -> Result<ChoicePrediction, PredictionError> {
    check(logits)?;
    let mut class = 0;
    for (other, &logit) in logits.iter().enumerate() {
        if logit > logits[class] {
            class = other;
        }
    }
    Ok(ChoicePrediction {
        class,
        probabilities: softmax(logits.iter().copied().map(f64::from)),
    })
}

/// Checks that there are logits, all of them finite.
fn check(logits: &[f32]) -> Result<(), PredictionError> {
    if logits.is_empty() {
        return Err(PredictionError::NoClassLogits);
    }
    match logits.iter().position(|logit| !logit.is_finite()) {
        None => Ok(()),
        Some(class) => Err(PredictionError::NonFiniteClassLogit {
            class,
            value: logits[class],
        }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_of_the_largest_logits_is_chosen() {
        let cases: [(&[f32], usize, &[f64]); 8] = [
            (&[0.3], 0, &[1.0]),
            (&[0.0, 0.0], 0, &[0.5, 0.5]),
            (&[-0.0, 0.0], 0, &[0.5, 0.5]),
            (&[-7.0, -7.0, -7.0, -7.0], 0, &[0.25; 4]),
            (&[1.0, 3.0, 3.0], 1, &[0.0634, 0.4683, 0.4683]),
            (&[0.0, 1.0], 1, &[0.2689, 0.7311]),
            (&[1e38, -1e38, 0.0], 0, &[1.0, 0.0, 0.0]),
            (&[f32::MIN, f32::MAX], 1, &[0.0, 1.0]),
        ];
        for (logits, class, probabilities) in cases {
            let prediction = choose(logits).expect("the logits are finite");
            assert_eq!(prediction.class, class, "{logits:?}");
            assert_eq!(prediction.probabilities.len(), probabilities.len());
            for (found, expected) in prediction.probabilities.iter().zip(probabilities) {
                assert!((found - expected).abs() < 5e-5, "{logits:?}: {found}");
            }
        }
    }

    #[test]
    fn logits_that_give_no_choice_are_named() {
        let cases: [(&[f32], &str); 4] = [
            (&[], "expected the logits of at least 1 class, found none"),
            (
                &[0.0, f32::NAN],
                "expected finite logits, found NaN as logit of class 1",
            ),
            (
                &[f32::INFINITY, f32::NAN],
                "expected finite logits, found inf as logit of class 0",
            ),
            (
                &[0.0, 1.0, f32::NEG_INFINITY],
                "expected finite logits, found -inf as logit of class 2",
            ),
        ];
        for (logits, message) in cases {
            let error = choose(logits).expect_err("there is no choice");
            assert_eq!(error.to_string(), message);
        }
    }

    #[test]
    fn a_score_is_the_first_logit_and_must_be_finite() {
        let score = ExamplePrediction::score_of(&[2.5]).expect("the logit is finite");
        assert_eq!((score.score(), score.class()), (Some(2.5), None));
        for logits in [&[][..], &[f32::NAN]] {
            let no_score = ExamplePrediction::score_of(logits).expect_err("there is no score");
            let no_choice = choose(logits).expect_err("there is no choice");
            assert_eq!(no_score.to_string(), no_choice.to_string());
        }
    }

    #[test]
    fn labels_are_those_above_a_threshold() {
        let prediction = ExamplePrediction::labels_of(&[0.0, 1.0, -200.0, 200.0]).unwrap();
        let ExamplePrediction::Labels(labels) = &prediction else {
            panic!("{prediction:?}");
        };
        for (found, expected) in labels.probabilities.iter().zip([0.5, 0.731_059, 0.0, 1.0]) {
            assert!((found - expected).abs() < 1e-6, "{found}");
        }
        assert_eq!(labels.above(0.5), [1, 3]);
        assert_eq!(labels.above(0.49), [0, 1, 3]);
        assert_eq!((prediction.class(), prediction.score()), (None, None));
        assert!(ExamplePrediction::labels_of(&[f32::NAN]).is_err());
    }

    proptest! {
        #[test]
        fn probabilities_are_a_distribution_whose_largest_is_chosen(
            logits in proptest::collection::vec(-40.0_f32..40.0, 1..8),
        ) {
            let ChoicePrediction { class, probabilities } = choose(&logits).expect("finite logits");
            prop_assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-14);
            prop_assert!(probabilities.iter().all(|p| (0.0..=probabilities[class]).contains(p)));
            prop_assert!(logits[..class].iter().all(|&logit| logit < logits[class]));
        }
    }
}
