//! [`crate::attention`]: one product for queries, keys and values, products of all heads at once, and kernels around
//! them.

use burn::tensor::{DType, Tensor};
use burn_cubecl::ops::reshape;
use burn_cubecl::tensor::CubeTensor;

use super::heads::{join, split, stack, sums_of_columns, unstack};
use super::linear::matrix;
use super::product::{product, transposed};
use super::softmax;
use super::{Differentiable, Plain, apply, input, plain, queue_fixed};
use crate::attention::Attention;
use crate::dropout::Dropout;
use crate::linear::LinearParameters;

#[derive(Clone, Debug)]
struct Attended {
    heads: usize,
    /// `[batch, seq]`
    attend: Option<Plain>,
    scale: f64,
    dropout: Option<Dropout>,
}

#[derive(Clone, Debug)]
struct Saved {
    x: Plain,
    /// The three weights side by side, in the type of a product's operands.
    weights: Plain,
    /// Queries, keys and values, `[batch, heads, seq, head]`.
    operands: [Plain; 3],
    /// Before dropout.
    softmax: Plain,
}

impl Differentiable<7> for Attended {
    type Saved = Saved;

    fn forward(&self, [x, wq, wk, wv, bq, bk, bv]: [Plain; 7]) -> (Plain, Saved) {
        let (heads, scale, dropout) = (self.heads, self.scale, self.dropout);
        let (whole, operand) = (x.shape.clone(), x.dtype);
        let [batch, seq, hidden] = [0, 1, 2].map(|axis| whole[axis]);
        let apart = ([batch, heads, seq, hidden / heads].into(), operand);
        let scores = ([batch, heads, seq, seq].into(), operand);
        let stacked = ([hidden, 3 * hidden].into(), operand);
        let masked = self.attend.is_some();
        // A launch has the same arguments with and without a mask.
        let attend = self.attend.clone().unwrap_or_else(|| bq.clone());
        let launch = move |[x, wq, wk, wv, bq, bk, bv, attend]: [_; 8]| {
            let weights = stack([wq, wk, wv], operand);
            let projected = product(matrix(x), weights.clone(), operand);
            let projected = reshape(projected, [batch, seq, 3 * hidden].into());
            let [query, key, value] = split(projected, &[bq, bk, bv], heads);
            let scores = product(query.clone(), transposed(key.clone()), operand);
            let [softmax, dropped] =
                softmax::forward(scores, masked.then_some(attend), scale, dropout);
            let output = join([product(dropped, value.clone(), operand)], None);
            [output, weights, query, key, value, softmax]
        };
        let [output, weights, query, key, value, softmax] = queue_fixed(
            "attention",
            [x.clone(), wq, wk, wv, bq, bk, bv, attend],
            [
                (whole, operand),
                stacked,
                apart.clone(),
                apart.clone(),
                apart,
                scores,
            ],
            launch,
        );
        let saved = Saved {
            x,
            weights,
            operands: [query, key, value],
            softmax,
        };
        (output, saved)
    }

    fn backward(&self, saved: Saved, gradient: Plain) -> [Plain; 7] {
        let (heads, scale, dropout) = (self.heads, self.scale, self.dropout);
        let [query, key, value] = saved.operands;
        let (whole, operand) = (gradient.shape.clone(), query.dtype);
        let [batch, seq, hidden] = [0, 1, 2].map(|axis| whole[axis]);
        let rows = batch * seq;
        let of_x = whole.clone();
        let launch = move |[gradient, x, weights, query, key, value, softmax]: [CubeTensor; 7]| {
            let [gradient] = split(gradient, &[], heads);
            let of_dropped = product(gradient.clone(), transposed(value), operand);
            let [of_scores, dropped] = softmax::backward(of_dropped, softmax, scale, dropout);
            let of_value = product(transposed(dropped), gradient, operand);
            let of_query = product(of_scores.clone(), key, operand);
            let of_key = product(transposed(of_scores), query, operand);
            let sums = sums_of_columns(&of_key, rows, 3 * hidden);
            let of_projected = matrix(join([of_query, of_key, of_value], Some(&sums)));
            let of_weights = product(transposed(matrix(x)), of_projected.clone(), DType::F32);
            let ([wq, wk, wv], [bq, bk, bv]) = unstack(of_weights, sums);
            let x = product(of_projected, transposed(weights), operand);
            [reshape(x, of_x.clone()), wq, wk, wv, bq, bk, bv]
        };
        let weight = ([hidden, hidden].into(), DType::F32);
        let bias = ([hidden].into(), DType::F32);
        queue_fixed(
            "attention_backward",
            [
                gradient,
                saved.x,
                saved.weights,
                query,
                key,
                value,
                saved.softmax,
            ],
            [
                (whole, operand),
                weight.clone(),
                weight.clone(),
                weight,
                bias.clone(),
                bias.clone(),
                bias,
            ],
            launch,
        )
    }
}

pub(crate) fn attention(
    x: Tensor<3>,
    [query, key, value]: [LinearParameters; 3],
    with: &Attention<'_>,
) -> Tensor<3> {
    let [_, _, hidden] = x.dims();
    let operation = Attended {
        heads: with.heads,
        attend: with.mask.map(|mask| plain(mask.clone())),
        scale: ((hidden / with.heads) as f64).sqrt().recip(),
        dropout: with.dropout,
    };
    let tracked = x.is_autodiff() || query.weight.is_autodiff();
    apply(
        operation,
        [
            input(x, tracked),
            input(query.weight, tracked),
            input(key.weight, tracked),
            input(value.weight, tracked),
            input(query.bias, tracked),
            input(key.bias, tracked),
            input(value.bias, tracked),
        ],
    )
}
