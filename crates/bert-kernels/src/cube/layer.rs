//! [`crate::encoder_layer`]: all of a layer is one operation, forward and backward. Its operands are made of parameters and
//! input by one launch, and what a second reader of a tensor adds to its gradient is added where that is read.

use burn::tensor::{DType, Shape, Tensor};
use burn_cubecl::ops::reshape;
use burn_cubecl::tensor::CubeTensor;

use super::accumulate::add_operand;
use super::attention::{self, AttentionConfig, saved_shapes};
use super::heads::unstack;
use super::linear::matrix;
use super::norm::{self, NormConfig};
use super::operands::operands;
use super::product::{product, transposed};
use super::{Differentiable, Plain, apply, exactly, gelu, input, plain, queue};
use crate::attention::Attention;
use crate::dropout::Dropout;
use crate::layer::LayerParameters;
use crate::linear::LinearParameters;
use crate::residual::LayerNormParameters;

/// Input and parameters.
const INPUTS: usize = 17;
/// Of these, what the backward pass reads, and what tells the inner width.
const WEIGHT_1: usize = 9;
const WI: usize = 11;
const BI: usize = 12;
const WEIGHT_2: usize = 15;
/// What the forward pass makes for the backward pass.
const SAVED: usize = 17;

/// What the launches of a layer depend on besides tensors.
#[derive(Clone, Copy, Debug)]
struct Layer {
    attention: AttentionConfig,
    /// Behind attention, and at the end.
    norms: [NormConfig; 2],
    operand: DType,
    /// Whether there is a backward pass.
    tracked: bool,
}

impl Layer {
    /// The output, and behind it what the backward pass reads.
    fn forward(self, inputs: [CubeTensor; INPUTS], attend: Option<CubeTensor>) -> Vec<CubeTensor> {
        let operand = self.operand;
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
            weight_1,
            bias_1,
            wi,
            bi,
            wf,
            bf,
            weight_2,
            bias_2,
        ] = inputs;
        let groups = [
            vec![x.clone()],
            vec![wq, wk, wv],
            vec![wo],
            vec![wi],
            vec![wf],
        ];
        let made = operands(groups, operand);
        // Without a backward pass nothing is kept, so that memory is free as soon as it has been read.
        let mut saved = Vec::new();
        let mut save = |tensors: &[&CubeTensor]| {
            if self.tracked {
                saved.extend(tensors.iter().copied().cloned());
            }
        };
        save(&made.each_ref());
        let [of_x, projections, wo, wi, wf] = made;
        let biases = [bq, bk, bv];
        let (context, inner) =
            attention::forward(of_x, projections, &biases, attend, self.attention);
        save(&inner.each_ref());
        drop(inner);
        save(&[&context]);
        let dense = product(matrix(context), wo, operand);
        let first = norm::forward(dense, x, [bo, weight_1, bias_1], self.norms[0], true);
        let attended = first.copy.expect("a copy was asked for");
        save(&[&first.normalised, &first.inverse, &attended]);
        let inner = product(matrix(attended), wi, operand);
        save(&[&inner]);
        let activated = gelu::forward(inner, bi);
        save(&[&activated]);
        let dense = product(activated, wf, operand);
        let parameters = [bf, weight_2, bias_2];
        let second = norm::forward(dense, first.output, parameters, self.norms[1], false);
        save(&[&second.normalised, &second.inverse]);
        saved.insert(0, second.output);
        saved
    }

    /// The gradients of the inputs of [`Self::forward`].
    fn backward(
        self,
        gradient: CubeTensor,
        saved: [CubeTensor; SAVED],
        [bi, weight_1, weight_2]: [CubeTensor; 3],
    ) -> [CubeTensor; INPUTS] {
        let operand = self.operand;
        let [first, second] = self.norms;
        let [
            x,
            projections,
            wo,
            wi,
            wf,
            query,
            key,
            value,
            softmax,
            context,
            normalised_1,
            inverse_1,
            attended,
            inner,
            activated,
            normalised_2,
            inverse_2,
        ] = saved;
        let shape = x.meta.shape().clone();
        let (dense, of_attended, of_second) = norm::backward(
            gradient,
            None,
            [normalised_2, inverse_2, weight_2],
            operand,
            second.dropout,
        );
        let [of_activated, wf] = through(dense, activated, wf);
        let (of_inner, of_gelu) = gelu::backward(of_activated, inner, bi);
        let [more, wi] = through(of_inner, attended, wi);
        let (dense, of_x, of_first) = norm::backward(
            of_attended,
            Some(more),
            [normalised_1, inverse_1, weight_1],
            operand,
            first.dropout,
        );
        let [of_context, wo] = through(dense, context, wo);
        let of_context = reshape(of_context, shape.clone());
        let inner = [query, key, value, softmax];
        let (more, projections, of_biases) =
            attention::backward(of_context, x, projections, inner, self.attention);
        let of_x = add_operand(of_x, reshape(more, shape));
        let ([wq, wk, wv], [bq, bk, bv, weight_1, bias_1, bo, bi, weight_2, bias_2, bf]) =
            unstack(projections, vec![of_biases, of_first, of_gelu, of_second]);
        [
            of_x, wq, bq, wk, bk, wv, bv, wo, bo, weight_1, bias_1, wi, bi, wf, bf, weight_2,
            bias_2,
        ]
    }

    /// Shapes and types of what [`Self::forward`] saves, by those of the input and of the first weight behind attention.
    fn saved(&self, x: &Shape, inner: usize) -> [(Shape, DType); SAVED] {
        let operand = self.operand;
        let [batch, seq, hidden] = [0, 1, 2].map(|axis| x[axis]);
        let rows = batch * seq;
        let [projections, query, key, value, softmax] =
            saved_shapes(x, operand, self.attention.heads);
        let whole = (x.clone(), operand);
        let normalised = (x.clone(), DType::F32);
        let inverse: (Shape, _) = ([rows].into(), DType::F32);
        let matrix = |rows, columns| (Shape::from([rows, columns]), operand);
        [
            whole.clone(),
            projections,
            matrix(hidden, hidden),
            matrix(hidden, inner),
            matrix(inner, hidden),
            query,
            key,
            value,
            softmax,
            whole.clone(),
            normalised.clone(),
            inverse.clone(),
            whole,
            matrix(rows, inner),
            matrix(rows, inner),
            normalised,
            inverse,
        ]
    }
}

/// The gradients of `x` and `weight` by that of their product.
fn through(gradient: CubeTensor, x: CubeTensor, weight: CubeTensor) -> [CubeTensor; 2] {
    let [gradient, x] = [gradient, x].map(matrix);
    let of_x = product(gradient.clone(), transposed(weight), x.dtype);
    let of_weight = product(transposed(x), gradient, DType::F32);
    [of_x, of_weight]
}

/// A layer in a graph, or without one.
#[derive(Clone, Debug)]
struct Applied {
    layer: Layer,
    /// `[batch, seq]`
    attend: Option<Plain>,
}

#[derive(Clone, Debug)]
struct Saved {
    made: [Plain; SAVED],
    /// The bias in front of GELU, and the weights of the normalisations.
    parameters: [Plain; 3],
    /// Of the inputs.
    shapes: [Shape; INPUTS],
}

impl Differentiable<INPUTS> for Applied {
    type Saved = Option<Saved>;

    fn forward(&self, inputs: [Plain; INPUTS]) -> (Plain, Self::Saved) {
        let layer = self.layer;
        let shapes = inputs.each_ref().map(|input| input.shape.clone());
        let parameters = [BI, WEIGHT_1, WEIGHT_2].map(|n| inputs[n].clone());
        let masked = self.attend.is_some();
        // A launch has the same arguments with and without a mask.
        let attend = self.attend.clone().unwrap_or_else(|| inputs[BI].clone());
        let mut inputs = Vec::from(inputs);
        inputs.push(attend);
        let launch = move |mut inputs: Vec<CubeTensor>| {
            let attend = inputs.pop().filter(|_| masked);
            layer.forward(exactly(inputs), attend)
        };
        let mut outputs = vec![(shapes[0].clone(), DType::F32)];
        if layer.tracked {
            outputs.extend(layer.saved(&shapes[0], shapes[WI][1]));
        }
        let mut made = queue("layer", inputs, outputs, launch);
        let saved = made.split_off(1);
        let saved = layer.tracked.then(|| Saved {
            made: exactly(saved),
            parameters,
            shapes,
        });
        let [output] = exactly(made);
        (output, saved)
    }

    fn backward(&self, saved: Self::Saved, gradient: Plain) -> [Plain; INPUTS] {
        let layer = self.layer;
        let saved = saved.expect("a layer with a backward pass saves what that reads");
        let outputs = saved.shapes.map(|shape| (shape, DType::F32));
        let mut inputs = vec![gradient];
        inputs.extend(saved.made);
        inputs.extend(saved.parameters);
        let launch = move |inputs: Vec<CubeTensor>| {
            let mut inputs = inputs.into_iter();
            let mut take = |count: usize| inputs.by_ref().take(count).collect::<Vec<_>>();
            let [gradient] = exactly(take(1));
            let (saved, parameters) = (exactly(take(SAVED)), exactly(take(3)));
            layer.backward(gradient, saved, parameters).into()
        };
        exactly(queue("layer_backward", inputs, outputs.into(), launch))
    }
}

pub(crate) fn encoder_layer(
    x: Tensor<3>,
    parameters: LayerParameters,
    with: &Attention<'_>,
    dropouts: [Option<Dropout>; 2],
    operand: DType,
) -> Tensor<3> {
    let [_, _, hidden] = x.dims();
    let tracked = x.is_autodiff() || parameters.output.weight.is_autodiff();
    let norms = [&parameters.attention_norm, &parameters.output_norm].map(|norm| norm.epsilon);
    let [first, second] = [0, 1].map(|n| NormConfig {
        epsilon: norms[n],
        dropout: dropouts[n],
    });
    let operation = Applied {
        layer: Layer {
            attention: AttentionConfig::new(hidden, with),
            norms: [first, second],
            operand,
            tracked,
        },
        attend: with.mask.map(|mask| plain(mask.clone())),
    };
    let mut inputs = vec![input(x, tracked)];
    let linear = |inputs: &mut Vec<_>, layer: LinearParameters| {
        inputs.push(input(layer.weight, tracked));
        inputs.push(input(layer.bias, tracked));
    };
    let norm = |inputs: &mut Vec<_>, norm: LayerNormParameters| {
        inputs.push(input(norm.weight, tracked));
        inputs.push(input(norm.bias, tracked));
    };
    for layer in parameters.attention {
        linear(&mut inputs, layer);
    }
    linear(&mut inputs, parameters.attention_output);
    norm(&mut inputs, parameters.attention_norm);
    linear(&mut inputs, parameters.intermediate);
    linear(&mut inputs, parameters.output);
    norm(&mut inputs, parameters.output_norm);
    apply::<_, INPUTS, 3>(operation, exactly(inputs))
}
