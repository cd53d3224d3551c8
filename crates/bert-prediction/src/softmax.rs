//! Scores turned into probabilities.

/// The softmax of finite scores of any size: probabilities in the scores' order.
#[must_use]
pub fn softmax(scores: impl Iterator<Item = f64> + Clone) -> Vec<f64> {
    let best = scores.clone().fold(f64::NEG_INFINITY, f64::max);
    let mut probabilities: Vec<f64> = scores.map(|score| (score - best).exp()).collect();
    let sum: f64 = probabilities.iter().sum();
    for probability in &mut probabilities {
        *probability /= sum;
    }
    probabilities
}
