//! [`crate::attention`]: a kernel between two batched products of Burn's.

use burn::tensor::Tensor;

use super::softmax;
use super::{Differentiable, Plain, apply, input, plain, queue_fixed};
use crate::attention::Attention;
use crate::dropout::Dropout;

#[derive(Clone, Debug)]
struct Weights {
    /// `[batch, seq]`
    attend: Option<Plain>,
    scale: f64,
    dropout: Option<Dropout>,
}

impl Differentiable<1> for Weights {
    /// The softmax.
    type Saved = Plain;

    fn forward(&self, [scores]: [Plain; 1]) -> (Plain, Plain) {
        let (scale, dropout) = (self.scale, self.dropout);
        let whole = (scores.shape.clone(), scores.dtype);
        let masked = self.attend.is_some();
        // A launch has the same arguments with and without a mask.
        let attend = self.attend.clone().unwrap_or_else(|| scores.clone());
        let launch = move |[scores, attend]: [_; 2]| {
            softmax::forward(scores, masked.then_some(attend), scale, dropout)
        };
        let outputs = [whole.clone(), whole];
        let [dropped, softmax] =
            queue_fixed("attention_weights", [scores, attend], outputs, launch);
        (dropped, softmax)
    }

    fn backward(&self, softmax: Plain, gradient: Plain) -> [Plain; 1] {
        let (scale, dropout) = (self.scale, self.dropout);
        let whole = (gradient.shape.clone(), gradient.dtype);
        let launch = move |[gradient, softmax]: [_; 2]| {
            [softmax::backward(gradient, softmax, scale, dropout)]
        };
        queue_fixed(
            "attention_weights_backward",
            [gradient, softmax],
            [whole],
            launch,
        )
    }
}

pub(crate) fn attention(
    query: Tensor<3>,
    key: Tensor<3>,
    value: Tensor<3>,
    with: &Attention<'_>,
) -> Tensor<3> {
    let [batch, seq, hidden] = query.dims();
    let head = hidden / with.heads;
    let split = |x: Tensor<3>| {
        x.reshape([batch, seq, with.heads, head]).swap_dims(1, 2) // [batch, heads, seq, head]
    };
    let scores = split(query).matmul(split(key).swap_dims(2, 3)); // [batch, heads, seq, seq]
    let operation = Weights {
        attend: with.mask.map(|mask| plain(mask.clone())),
        scale: (head as f64).sqrt().recip(),
        dropout: with.dropout,
    };
    let tracked = scores.is_autodiff();
    let weights: Tensor<4> = apply(operation, [input(scores, tracked)]);
    weights
        .matmul(split(value))
        .swap_dims(1, 2) // [batch, heads, seq, head] → [batch, seq, heads, head]
        .reshape([batch, seq, hidden])
}
