//! A layer of BERT's encoder: attention, then a feed-forward network, each with a residual and a layer normalisation
//! behind it.

use burn::tensor::Tensor;

use crate::attention::{Attention, attention};
use crate::dropout::Dropout;
use crate::gelu::gelu;
use crate::linear::{LinearParameters, linear};
use crate::pass::Precision;
use crate::residual::{LayerNormParameters, linear_residual_layer_norm};

/// Parameters of a layer.
#[derive(Debug, Clone)]
pub struct LayerParameters {
    /// Of queries, keys and values.
    pub attention: [LinearParameters; 3],
    /// Behind attention.
    pub attention_output: LinearParameters,
    /// Of the sum of that and the layer's input.
    pub attention_norm: LayerNormParameters,
    /// In front of the activation.
    pub intermediate: LinearParameters,
    /// Behind it.
    pub output: LinearParameters,
    /// Of the sum of that and what was normalised before.
    pub output_norm: LayerNormParameters,
}

/// What stands inside the feed-forward network.
pub enum Activation<'a> {
    /// GELU by the error function (Hendrycks & Gimpel 2016), for which a GPU has kernels.
    Gelu,
    /// Another one.
    Other(&'a dyn Fn(Tensor<3>) -> Tensor<3>),
}

/// A layer's output, in 32 bits. `dropouts` are those behind attention and at the end.
///
/// # Shapes
/// - `x`: `[batch, seq, hidden]`, in 32 bits; the output has the same
pub fn encoder_layer(
    x: Tensor<3>,
    parameters: LayerParameters,
    with: &Attention<'_>,
    activation: &Activation<'_>,
    dropouts: [Option<Dropout>; 2],
    precision: Precision,
) -> Tensor<3> {
    #[cfg(feature = "cube")]
    if crate::cube::runs(&x) && matches!(activation, Activation::Gelu) {
        let operand = precision.operand().into();
        return crate::cube::layer::encoder_layer(x, parameters, with, dropouts, operand);
    }
    let context = attention(x.clone(), parameters.attention, with, precision);
    let attended = linear_residual_layer_norm(
        context,
        parameters.attention_output,
        x,
        parameters.attention_norm,
        dropouts[0],
        precision,
    );
    let inner = linear(attended.clone(), parameters.intermediate, precision);
    let inner = match activation {
        Activation::Gelu => gelu(inner),
        Activation::Other(activation) => activation(inner),
    };
    linear_residual_layer_norm(
        inner,
        parameters.output,
        attended,
        parameters.output_norm,
        dropouts[1],
        precision,
    )
}
