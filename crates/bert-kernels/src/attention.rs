//! Scaled dot-product attention over all heads (Vaswani et al. 2017, 3.2).

use burn::tensor::Tensor;
use burn::tensor::activation::softmax;

use crate::dropout::{Dropout, dropout};
use crate::linear::{LinearParameters, linear};
use crate::pass::{Precision, assert_one_type, to_fp32};

/// Added to the scores of padding, as in Devlin et al.'s code: its softmax is 0 in `f32`.
pub(crate) const MASKED_SCORE: f64 = -10_000.0;

/// What attention is computed with besides queries, keys and values.
#[derive(Debug, Clone)]
pub struct Attention<'a> {
    /// Heads that share the hidden width.
    pub heads: usize,
    /// `[batch, seq]`, 1 = attend, 0 = padding; `None` when no row is padded.
    pub mask: Option<&'a Tensor<2>>,
    /// Dropout of the attention weights, after the softmax. Its elements are those of
    /// `[batch, heads, seq, seq]`.
    pub dropout: Option<Dropout>,
}

/// `dropout(softmax(q kᵀ / √head + mask)) v` for each head, of the queries, keys and values that three linear layers
/// make of `x`.
///
/// # Shapes
/// - `x`: `[batch, seq, hidden]`; the output has the same, in the type of a product's operands
/// - `projections`: from `hidden` to `hidden`, for queries, keys and values; heads lie side by side in `hidden`
pub fn attention(
    x: Tensor<3>,
    projections: [LinearParameters; 3],
    with: &Attention<'_>,
    precision: Precision,
) -> Tensor<3> {
    // Cast once for the three of them.
    let x = precision.cast(x);
    #[cfg(feature = "cube")]
    if crate::cube::runs(&x) {
        return crate::cube::attention::attention(x, projections, with);
    }
    let [query, key, value] = projections.map(|layer| linear(x.clone(), layer, precision));
    #[cfg(feature = "flex")]
    if crate::flex::runs(&query) {
        return crate::flex::attention::attention([query, key, value], with, precision);
    }
    composed(query, key, value, with)
}

/// Attention to queries, keys and values in tensor operations. The products are in the operands' type, the softmax in
/// 32 bits.
pub(crate) fn composed(
    query: Tensor<3>,
    key: Tensor<3>,
    value: Tensor<3>,
    with: &Attention<'_>,
) -> Tensor<3> {
    let operand = query.dtype();
    assert_one_type("attention", &[operand, key.dtype(), value.dtype()]);
    let [batch, seq, hidden] = query.dims();
    let head = hidden / with.heads;
    let split = |x: Tensor<3>| {
        x.reshape([batch, seq, with.heads, head]).swap_dims(1, 2) // [batch, heads, seq, head]
    };
    // Scaling the queries costs less than scaling the scores.
    let query = split(query * (head as f64).sqrt().recip());
    let mut scores = to_fp32(query.matmul(split(key).swap_dims(2, 3))); // [batch, heads, seq, seq]
    if let Some(mask) = with.mask {
        let added = (mask.clone() - 1.0) * -MASKED_SCORE; // 1 → 0, 0 → MASKED_SCORE
        scores = scores + added.reshape([batch, 1, 1, seq]);
    }
    dropout(softmax(scores, 3), with.dropout)
        .cast(operand)
        .matmul(split(value))
        .swap_dims(1, 2) // [batch, heads, seq, head] → [batch, seq, heads, head]
        .reshape([batch, seq, hidden])
}
