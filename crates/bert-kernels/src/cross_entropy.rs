//! The loss of a choice.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor};

/// Cross-entropy of each example: minus the logarithm of the softmax at its class.
///
/// # Shapes
/// - `logits`: `[examples, classes]`, in 32 bits
/// - `classes`: `[examples]`, each below `classes`
/// - output: `[examples]`
pub fn cross_entropy(logits: Tensor<2>, classes: Tensor<1, Int>) -> Tensor<1> {
    cross_entropy_of_columns(logits.unsqueeze_dim(2), classes.unsqueeze_dim(1))
}

/// The mean of [`cross_entropy`] over several choices of an example, whose logits are columns side by side.
///
/// # Shapes
/// - `logits`: `[examples, classes, choices]`, in 32 bits
/// - `classes`: `[examples, choices]`, each below `classes`
/// - output: `[examples]`
pub fn cross_entropy_of_columns(logits: Tensor<3>, classes: Tensor<2, Int>) -> Tensor<1> {
    #[cfg(feature = "cube")]
    if crate::cube::runs(&logits) {
        return crate::cube::cross_entropy::cross_entropy(logits, classes);
    }
    composed(logits, classes)
}

/// [`cross_entropy_of_columns`] in tensor operations.
pub(crate) fn composed(logits: Tensor<3>, classes: Tensor<2, Int>) -> Tensor<1> {
    let [examples, size, choices] = logits.dims();
    let of_choice = |n: usize| {
        let logits = logits.clone().slice([0..examples, 0..size, n..n + 1]);
        let classes = classes.clone().slice([0..examples, n..n + 1]);
        log_softmax(logits.reshape([examples, size]), 1)
            .gather(1, classes)
            .reshape([examples])
            .neg()
    };
    let first = of_choice(0);
    (1..choices)
        .map(of_choice)
        .fold(first, |sum, loss| sum + loss)
        / choices as f64
}
