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
    #[cfg(feature = "cube")]
    if crate::cube::runs(&logits) {
        return crate::cube::cross_entropy::cross_entropy(logits, classes);
    }
    composed(logits, classes)
}

/// [`cross_entropy`] in tensor operations.
pub(crate) fn composed(logits: Tensor<2>, classes: Tensor<1, Int>) -> Tensor<1> {
    let [examples, _] = logits.dims();
    let classes = classes.unsqueeze_dim(1); // [examples] → [examples, 1]
    log_softmax(logits, 1)
        .gather(1, classes)
        .reshape([examples])
        .neg()
}
