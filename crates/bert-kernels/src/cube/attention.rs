//! [`crate::attention`]: products of all heads at once, and kernels around them.

use burn::tensor::{DType, Tensor};
use burn_backend::cubecl::dtype_to_storage_type;
use burn_cubecl::tensor::CubeTensor;
use cubecl::ir::ElemType;
use cubecl::prelude::*;

use super::linear::multiply;
use super::memory::{contiguous, empty};
use super::product::{product, transposed};
use super::rows::{SHARE, sum_thirds};
use super::softmax;
use super::units::{UNITS, cubes};
use super::{Differentiable, Plain, apply, input, plain, queue_fixed};
use crate::attention::Attention;
use crate::dropout::Dropout;
use crate::linear::LinearParameters;

/// `[batch, seq, hidden]`, plus a bias, → `[batch, heads, seq, head]`.
#[cube(launch)]
#[allow(clippy::too_many_arguments)]
fn split_kernel<X: Float>(
    x: &[X],
    bias: &[f32],
    output: &mut [X],
    count: usize,
    seq: usize,
    #[comptime] heads: usize,
    #[comptime] head: usize,
    #[comptime] biased: bool,
    #[define(X)] _operand: ElemType,
) {
    let at = ABSOLUTE_POS;
    if at >= count {
        terminate!();
    }
    let place = at % head;
    let row = at / head;
    let token = row % seq;
    let of_head = row / seq;
    let column = (of_head % heads) * head + place;
    let text = of_head / heads;
    let value = x[(text * seq + token) * comptime!(heads * head) + column];
    if comptime!(biased) {
        output[at] = X::cast_from(f32::cast_from(value) + bias[column]);
    } else {
        output[at] = value;
    }
}

/// `[batch, heads, seq, head]` → `[batch, seq, hidden]`, and the sums of the columns over some rows: a cube takes
/// [`UNITS`] columns of [`SHARE`] rows.
#[cube(launch)]
#[allow(clippy::too_many_arguments)]
fn join_kernel<X: Float>(
    x: &[X],
    output: &mut [X],
    parts: &mut [f32],
    rows: usize,
    seq: usize,
    first_part: usize,
    #[comptime] heads: usize,
    #[comptime] head: usize,
    #[comptime] sums: bool,
    #[define(X)] _operand: ElemType,
) {
    let hidden = comptime!(heads * head);
    let wide = comptime!((heads * head).div_ceil(UNITS));
    let share = CUBE_POS / wide;
    let first = share * SHARE;
    let column = (CUBE_POS % wide) * UNITS + UNIT_POS as usize;
    if first >= rows || column >= hidden {
        terminate!();
    }
    let of_head = column / head;
    let place = column % head;
    let last = min(first + SHARE, rows);
    let mut sum = 0.0f32;
    for row in first..last {
        let text = row / seq;
        let token = row % seq;
        let value = x[((text * heads + of_head) * seq + token) * head + place];
        output[row * hidden + column] = value;
        sum += f32::cast_from(value);
    }
    if comptime!(sums) {
        parts[share * comptime!(3 * heads * head) + first_part + column] = sum;
    }
}

fn split(x: CubeTensor, bias: Option<CubeTensor>, heads: usize) -> CubeTensor {
    let x = contiguous(x);
    let [batch, seq, hidden] = [0, 1, 2].map(|axis| x.meta.shape()[axis]);
    let head = hidden / heads;
    let output = empty(&x, [batch, heads, seq, head].into(), x.dtype);
    let biased = bias.is_some();
    let bias = bias.map_or_else(|| empty(&x, [1].into(), DType::F32), contiguous);
    let (client, operand) = (x.client.clone(), dtype_to_storage_type(x.dtype));
    let count = x.meta.num_elements();
    split_kernel::launch(
        &client,
        cubes(count.div_ceil(UNITS)),
        CubeDim::new_1d(UNITS as u32),
        x.into_buffer_arg(),
        bias.into_buffer_arg(),
        output.clone().into_buffer_arg(),
        count,
        seq,
        heads,
        head,
        biased,
        operand,
    );
    output
}

/// `parts`, `[shares, 3 · hidden]`, receives sums at the columns of one of three.
fn join(x: CubeTensor, parts: Option<(CubeTensor, usize)>) -> CubeTensor {
    let x = contiguous(x);
    let [batch, heads, seq, head] = [0, 1, 2, 3].map(|axis| x.meta.shape()[axis]);
    let (rows, hidden) = (batch * seq, heads * head);
    let output = empty(&x, [batch, seq, hidden].into(), x.dtype);
    let sums = parts.is_some();
    let (parts, which) = parts.unwrap_or_else(|| (empty(&x, [1].into(), DType::F32), 0));
    let (client, operand) = (x.client.clone(), dtype_to_storage_type(x.dtype));
    join_kernel::launch(
        &client,
        cubes(rows.div_ceil(SHARE) * hidden.div_ceil(UNITS)),
        CubeDim::new_1d(UNITS as u32),
        x.into_buffer_arg(),
        output.clone().into_buffer_arg(),
        parts.into_buffer_arg(),
        rows,
        seq,
        which * hidden,
        heads,
        head,
        sums,
        operand,
    );
    output
}

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
    /// Queries, keys and values, `[batch, heads, seq, head]`.
    operands: [Plain; 3],
    softmax: Plain,
    dropped: Plain,
}

impl Differentiable<6> for Attended {
    type Saved = Saved;

    fn forward(&self, inputs: [Plain; 6]) -> (Plain, Saved) {
        let (heads, scale, dropout) = (self.heads, self.scale, self.dropout);
        let [query, key, value, of_query, of_key, of_value] = inputs;
        let (whole, operand) = (query.shape.clone(), query.dtype);
        let [batch, seq, hidden] = [0, 1, 2].map(|axis| whole[axis]);
        let apart = ([batch, heads, seq, hidden / heads].into(), operand);
        let scores = ([batch, heads, seq, seq].into(), operand);
        let masked = self.attend.is_some();
        // A launch has the same arguments with and without a mask.
        let attend = self.attend.clone().unwrap_or_else(|| of_query.clone());
        let launch = move |[query, key, value, of_query, of_key, of_value, attend]: [_; 7]| {
            let [query, key, value] = [(query, of_query), (key, of_key), (value, of_value)]
                .map(|(x, bias)| split(x, Some(bias), heads));
            let scores = product(query.clone(), transposed(key.clone()), operand);
            let [dropped, softmax] =
                softmax::forward(scores, masked.then_some(attend), scale, dropout);
            let output = join(product(dropped.clone(), value.clone(), operand), None);
            [output, query, key, value, softmax, dropped]
        };
        let [output, query, key, value, softmax, dropped] = queue_fixed(
            "attention",
            [query, key, value, of_query, of_key, of_value, attend],
            [
                (whole, operand),
                apart.clone(),
                apart.clone(),
                apart,
                scores.clone(),
                scores,
            ],
            launch,
        );
        let saved = Saved {
            operands: [query, key, value],
            softmax,
            dropped,
        };
        (output, saved)
    }

    fn backward(&self, saved: Saved, gradient: Plain) -> [Plain; 6] {
        let (heads, scale, dropout) = (self.heads, self.scale, self.dropout);
        let [query, key, value] = saved.operands;
        let (whole, operand) = (gradient.shape.clone(), query.dtype);
        let [batch, seq, hidden] = [0, 1, 2].map(|axis| whole[axis]);
        let launch = move |[gradient, query, key, value, softmax, dropped]: [CubeTensor; 6]| {
            let gradient = split(gradient, None, heads);
            let of_value = product(transposed(dropped), gradient.clone(), operand);
            let of_weights = product(gradient, transposed(value), operand);
            let of_scores = softmax::backward(of_weights, softmax, scale, dropout);
            let of_query = product(of_scores.clone(), key, operand);
            let of_key = product(transposed(of_scores), query, operand);
            let shares = (batch * seq).div_ceil(SHARE);
            let parts = empty(&of_key, [shares, 3 * hidden].into(), DType::F32);
            let [of_query, of_key, of_value] = [(of_query, 0), (of_key, 1), (of_value, 2)]
                .map(|(gradient, which)| join(gradient, Some((parts.clone(), which))));
            let [query_bias, key_bias, value_bias] = sum_thirds(parts);
            [of_query, of_key, of_value, query_bias, key_bias, value_bias]
        };
        let whole = (whole, operand);
        let bias = ([hidden].into(), DType::F32);
        queue_fixed(
            "attention_backward",
            [gradient, query, key, value, saved.softmax, saved.dropped],
            [
                whole.clone(),
                whole.clone(),
                whole,
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
    projections: [LinearParameters; 3],
    with: &Attention<'_>,
) -> Tensor<3> {
    let [_, _, hidden] = x.dims();
    let operation = Attended {
        heads: with.heads,
        attend: with.mask.map(|mask| plain(mask.clone())),
        scale: ((hidden / with.heads) as f64).sqrt().recip(),
        dropout: with.dropout,
    };
    let [query, key, value] = projections.map(|LinearParameters { weight, bias }| {
        let projected = multiply(x.clone(), weight);
        let tracked = projected.is_autodiff();
        (input(projected, tracked), input(bias, tracked))
    });
    apply(
        operation,
        [query.0, key.0, value.0, query.1, key.1, value.1],
    )
}
