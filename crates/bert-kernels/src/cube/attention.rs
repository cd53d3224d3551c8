//! [`crate::attention`]: one product for queries, keys and values, products of all heads at once, and kernels around
//! them.

use burn::tensor::{DType, Shape, Tensor};
use burn_cubecl::ops::reshape;
use burn_cubecl::tensor::CubeTensor;

use super::heads::{Parts, join, split, sums_of_columns, unstack};
use super::linear::matrix;
use super::operands::operands;
use super::product::{product, transposed};
use super::softmax;
use super::{Differentiable, Plain, apply, input, plain, queue_fixed};
use crate::attention::Attention;
use crate::dropout::Dropout;
use crate::linear::LinearParameters;

/// How it attends.
#[derive(Clone, Copy, Debug)]
pub(super) struct AttentionConfig {
    pub(super) heads: usize,
    scale: f64,
    dropout: Option<Dropout>,
}

impl AttentionConfig {
    pub(super) fn new(hidden: usize, with: &Attention<'_>) -> Self {
        Self {
            heads: with.heads,
            scale: ((hidden / with.heads) as f64).sqrt().recip(),
            dropout: with.dropout,
        }
    }
}

/// The output, and queries, keys, values and softmax before dropout, all of which are `[batch, heads, seq, …]`.
///
/// # Shapes
/// - `x`: `[batch, seq, hidden]`
/// - `weights`: those of queries, keys and values side by side, `[hidden, 3 · hidden]`, of the type of `x`
/// - `attend`: `[batch, seq]`
pub(super) fn forward(
    x: CubeTensor,
    weights: CubeTensor,
    biases: &[CubeTensor; 3],
    attend: Option<CubeTensor>,
    with: AttentionConfig,
) -> (CubeTensor, [CubeTensor; 4]) {
    let [batch, seq, hidden] = [0, 1, 2].map(|axis| x.meta.shape()[axis]);
    let operand = x.dtype;
    let projected = product(matrix(x), weights, operand);
    let projected = reshape(projected, [batch, seq, 3 * hidden].into());
    let [query, key, value] = split(projected, biases, with.heads);
    let scores = product(query.clone(), transposed(key.clone()), operand);
    let [softmax, dropped] = softmax::forward(scores, attend, with.scale, with.dropout);
    let output = join([product(dropped, value.clone(), operand)], None);
    (output, [query, key, value, softmax])
}

/// The gradients of `x`, as a matrix, of the weights side by side, and of the biases, as shares.
pub(super) fn backward(
    gradient: CubeTensor,
    x: CubeTensor,
    weights: CubeTensor,
    [query, key, value, softmax]: [CubeTensor; 4],
    with: AttentionConfig,
) -> (CubeTensor, CubeTensor, Parts) {
    let [batch, seq, hidden] = [0, 1, 2].map(|axis| x.meta.shape()[axis]);
    let operand = x.dtype;
    let [gradient] = split(gradient, &[], with.heads);
    let of_dropped = product(gradient.clone(), transposed(value), operand);
    let [of_scores, dropped] = softmax::backward(of_dropped, softmax, with.scale, with.dropout);
    let of_value = product(transposed(dropped), gradient, operand);
    let of_query = product(of_scores.clone(), key, operand);
    let of_key = product(transposed(of_scores), query, operand);
    let sums = sums_of_columns(&of_key, batch * seq, 3 * hidden);
    let of_projected = matrix(join([of_query, of_key, of_value], Some(&sums)));
    let of_weights = product(transposed(matrix(x)), of_projected.clone(), DType::F32);
    let of_x = product(of_projected, transposed(weights), operand);
    let widths = vec![hidden; 3];
    (of_x, of_weights, Parts { sums, widths })
}

#[derive(Clone, Debug)]
struct Attended {
    /// `[batch, seq]`
    attend: Option<Plain>,
    with: AttentionConfig,
}

#[derive(Clone, Debug)]
struct Saved {
    x: Plain,
    weights: Plain,
    /// Queries, keys, values and softmax.
    inner: [Plain; 4],
}

impl Differentiable<7> for Attended {
    type Saved = Saved;

    fn forward(&self, [x, wq, wk, wv, bq, bk, bv]: [Plain; 7]) -> (Plain, Saved) {
        let with = self.with;
        let (whole, operand) = (x.shape.clone(), x.dtype);
        let masked = self.attend.is_some();
        // A launch has the same arguments with and without a mask.
        let attend = self.attend.clone().unwrap_or_else(|| bq.clone());
        let launch = move |[x, wq, wk, wv, bq, bk, bv, attend]: [_; 8]| {
            let [weights] = operands([vec![wq, wk, wv]], operand);
            let attend = masked.then_some(attend);
            let (output, [query, key, value, softmax]) =
                forward(x, weights.clone(), &[bq, bk, bv], attend, with);
            [output, weights, query, key, value, softmax]
        };
        let [weights, inner @ ..] = saved_shapes(&whole, operand, with.heads);
        let [query, key, value, softmax] = inner;
        let [output, weights, query, key, value, softmax] = queue_fixed(
            "attention",
            [x.clone(), wq, wk, wv, bq, bk, bv, attend],
            [(whole, operand), weights, query, key, value, softmax],
            launch,
        );
        let saved = Saved {
            x,
            weights,
            inner: [query, key, value, softmax],
        };
        (output, saved)
    }

    fn backward(&self, saved: Saved, gradient: Plain) -> [Plain; 7] {
        let with = self.with;
        let (whole, operand) = (gradient.shape.clone(), gradient.dtype);
        let of_x = whole.clone();
        let launch = move |[gradient, x, weights, query, key, value, softmax]: [_; 7]| {
            let inner = [query, key, value, softmax];
            let (x, weights, biases) = backward(gradient, x, weights, inner, with);
            let ([wq, wk, wv], [bq, bk, bv]) = unstack(weights, vec![biases]);
            [reshape(x, of_x.clone()), wq, wk, wv, bq, bk, bv]
        };
        let hidden = whole[2];
        let weight = ([hidden, hidden].into(), DType::F32);
        let bias = ([hidden].into(), DType::F32);
        let [query, key, value, softmax] = saved.inner;
        queue_fixed(
            "attention_backward",
            [gradient, saved.x, saved.weights, query, key, value, softmax],
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

/// Of the weights side by side, queries, keys, values and softmax.
pub(super) fn saved_shapes(x: &Shape, operand: DType, heads: usize) -> [(Shape, DType); 5] {
    let [batch, seq, hidden] = [0, 1, 2].map(|axis| x[axis]);
    let apart: Shape = [batch, heads, seq, hidden / heads].into();
    let scores = [batch, heads, seq, seq].into();
    let weights = [hidden, 3 * hidden].into();
    [weights, apart.clone(), apart.clone(), apart, scores].map(|shape| (shape, operand))
}

pub(crate) fn attention(
    x: Tensor<3>,
    [query, key, value]: [LinearParameters; 3],
    with: &Attention<'_>,
) -> Tensor<3> {
    let [_, _, hidden] = x.dims();
    let operation = Attended {
        attend: with.mask.map(|mask| plain(mask.clone())),
        with: AttentionConfig::new(hidden, with),
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
