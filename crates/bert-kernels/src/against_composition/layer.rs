//! A whole layer.

use burn::tensor::Tensor;

use super::{compare_within, dropout, layer, mask, precisions, random};
use crate::{
    Activation, Attention, Dropout, LayerNormParameters, LayerParameters, LinearParameters,
};

/// A layer's input and its parameters.
type Leaves = [Tensor<3>; 17];

/// More rows than a kernel sums, more columns than a cube has units, and one row of one token. What is inside a layer is
/// tested by itself: here the parts are few, since a compiler for a device that the processor stands in for needs minutes.
#[test]
fn encoder_layer() {
    let shapes = [[3, 37, 24, 4, 150], [1, 1, 6, 2, 9]];
    for [batch, seq, hidden, heads, inner] in shapes {
        let leaves = leaves([batch, seq, hidden], inner);
        let mask_of = |lengths: [usize; 3]| Some(mask(&lengths[..batch], seq));
        let cases = [(None, false), (mask_of([seq, seq / 2 + 1, 1]), true)];
        for (mask, drops) in &cases {
            let [weights, attended, output] =
                [1, 2, 3].map(|site| dropout(site).filter(|_| *drops));
            let with = Attention {
                heads,
                mask: mask.as_ref(),
                dropout: weights,
            };
            for (precision, allowed) in precisions() {
                compare_within(
                    // The roundings of a layer's products add up.
                    4.0 * allowed,
                    leaves.clone(),
                    |leaves| {
                        let ((x, parameters), dropouts) = (named(leaves), [attended, output]);
                        let gelu = Activation::Gelu;
                        crate::encoder_layer(x, parameters, &with, &gelu, dropouts, precision)
                    },
                    |leaves| {
                        let (x, parameters) = named(leaves);
                        composed(x, parameters, &with, [attended, output])
                    },
                );
            }
        }
    }
}

fn leaves([batch, seq, hidden]: [usize; 3], inner: usize) -> Leaves {
    let vector = || random([1, 1, hidden]);
    let matrix = |input: usize, output| random([1, input, output]) * (input as f64).sqrt().recip();
    let square = || matrix(hidden, hidden);
    [
        random([batch, seq, hidden]),
        square(),
        vector(),
        square(),
        // It changes no softmax: its gradient is rounding, which is to stay below what is allowed.
        vector(),
        square(),
        vector(),
        square(),
        vector(),
        vector(),
        vector(),
        matrix(hidden, inner),
        random([1, 1, inner]),
        matrix(inner, hidden),
        vector(),
        vector(),
        vector(),
    ]
}

fn named(leaves: Leaves) -> (Tensor<3>, LayerParameters) {
    let [
        x,
        wq,
        bq,
        wk,
        bk,
        wv,
        bv,
        wo,
        bo,
        w1,
        b1,
        wi,
        bi,
        wf,
        bf,
        w2,
        b2,
    ] = leaves;
    let norm = |weight: Tensor<3>, bias: Tensor<3>| {
        let [_, _, hidden] = weight.dims();
        LayerNormParameters {
            weight: weight.reshape([hidden]),
            bias: bias.reshape([hidden]),
            epsilon: 1e-12,
        }
    };
    let parameters = LayerParameters {
        attention: [(wq, bq), (wk, bk / 64.0), (wv, bv)].map(layer),
        attention_output: layer((wo, bo)),
        attention_norm: norm(w1, b1),
        intermediate: layer((wi, bi)),
        output: layer((wf, bf)),
        output_norm: norm(w2, b2),
    };
    (x, parameters)
}

fn composed(
    x: Tensor<3>,
    parameters: LayerParameters,
    with: &Attention<'_>,
    dropouts: [Option<Dropout>; 2],
) -> Tensor<3> {
    let linear = |x: Tensor<3>, layer: LinearParameters| {
        crate::linear::composed(x, layer.weight, layer.bias)
    };
    let [query, key, value] = parameters.attention.map(|layer| linear(x.clone(), layer));
    let context = crate::attention::composed(query, key, value, with);
    let dense = linear(context, parameters.attention_output);
    let attended = crate::residual::composed(dense, x, parameters.attention_norm, dropouts[0]);
    let inner = linear(attended.clone(), parameters.intermediate);
    let dense = linear(crate::gelu::composed(inner), parameters.output);
    crate::residual::composed(dense, attended, parameters.output_norm, dropouts[1])
}
