//! Losses of the heads, one value an example.

use bert_kernels::cross_entropy;
use burn::tensor::{Int, Tensor};

use super::SpanLogits;

/// Squared error of each example's only output.
///
/// # Shapes
/// - `logits`: `[examples, 1]`
/// - `scores`: `[examples]`
/// - output: `[examples]`
pub fn squared_error(logits: Tensor<2>, scores: Tensor<1>) -> Tensor<1> {
    let [examples, _] = logits.dims();
    (logits.reshape([examples]) - scores).powi_scalar(2)
}

/// Mean of the start's and the end's cross-entropy, for each example. As in the 2018 script, the
/// softmax runs over every position of the padded row.
///
/// # Shapes
/// - `start_positions`, `end_positions`: `[batch]`, each below `seq`
/// - output: `[batch]`
pub fn span_loss(
    logits: SpanLogits,
    start_positions: Tensor<1, Int>,
    end_positions: Tensor<1, Int>,
) -> Tensor<1> {
    let start = cross_entropy(logits.start, start_positions);
    let end = cross_entropy(logits.end, end_positions);
    (start + end) * 0.5
}
