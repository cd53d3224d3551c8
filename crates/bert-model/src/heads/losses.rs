//! Losses of the heads, one value an example.

use bert_kernels::cross_entropy_of_columns;
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
/// - `positions`: `[batch, 2]`, the first and the last token of each answer, each below `seq`
/// - output: `[batch]`
pub fn span_loss(logits: SpanLogits, positions: Tensor<2, Int>) -> Tensor<1> {
    cross_entropy_of_columns(logits.0, positions)
}
