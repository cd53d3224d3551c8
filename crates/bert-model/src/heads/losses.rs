//! Losses of the heads, one value an example.

use bert_kernels::cross_entropy_of_columns;
use burn::tensor::activation::{log_sigmoid, log_softmax};
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

/// Cross-entropy with a weight of each class for each example: minus the sum of its log-probabilities times these.
///
/// # Shapes
/// - `logits`, `weights`: `[examples, classes]`
/// - output: `[examples]`
pub fn weighted_cross_entropy(logits: Tensor<2>, weights: Tensor<2>) -> Tensor<1> {
    let [examples, _] = logits.dims();
    let sum = (log_softmax(logits, 1) * weights).sum_dim(1); // [examples, 1]
    sum.reshape([examples]).neg()
}

/// Binary cross-entropy of the sigmoid of each output, the mean over an example's outputs: `BCEWithLogitsLoss` of PyTorch for
/// each example.
///
/// # Shapes
/// - `logits`: `[examples, labels]`
/// - `labels`: `[examples, labels]`, 1 where the example has the label and 0 elsewhere
/// - output: `[examples]`
pub fn binary_cross_entropy(logits: Tensor<2>, labels: Tensor<2>) -> Tensor<1> {
    let [examples, _] = logits.dims();
    let without = labels.ones_like() - labels.clone();
    // log(1 - sigmoid(x)) is log(sigmoid(-x)).
    let likelihood = log_sigmoid(logits.clone()) * labels + log_sigmoid(logits.neg()) * without;
    likelihood.mean_dim(1).reshape([examples]).neg() // of [examples, 1]
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
