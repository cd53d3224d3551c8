//! What stands under a head, as training and inference see it.

use bert_kernels::Pass;
use burn::module::{Module, Param};
use burn::tensor::Tensor;

use crate::checkpoint::TensorNames;
use crate::{BertConfig, BertInput, LargestTensor};

/// An encoder: token ids become vectors, and layers of the same kind transform them one after another.
///
/// Training runs it piece by piece, each piece a graph of its own: [`Encoder::look_up`], [`Encoder::embed`], then every
/// layer from the input up. Its tensors' names in files are those of [`Encoder::NAMES`].
pub trait Encoder: Module {
    /// One of its layers.
    type Layer: EncoderLayer;
    /// Its tensors' names in checkpoints.
    const NAMES: &'static TensorNames;

    /// What it can read, as a configuration says.
    fn limits(config: &BertConfig) -> InputLimits;

    /// How many trainable numbers it has with a configuration.
    fn size(config: &BertConfig) -> EncoderSize;

    /// Id of `[PAD]`, whose row of the input table receives no gradient.
    fn pad_token_id(&self) -> usize;

    /// The largest tensor that it computes from rows of `width` tokens.
    fn largest_activation(&self, rows: usize, width: usize) -> LargestTensor;

    /// The layers, from the input up.
    fn layers(&self) -> &[Self::Layer];

    /// The table in which token ids are looked up, `[vocabulary, width]`.
    fn input_table(&self) -> &Param<Tensor<2>>;

    /// The tokens' rows of the input table, as constants.
    ///
    /// # Shapes
    /// - output: `[batch, seq, width]`
    fn look_up(&self, input: &BertInput) -> Tensor<3>;

    /// What the first layer reads.
    ///
    /// # Shapes
    /// - `rows`: those of [`Encoder::look_up`]
    /// - output: `[batch, seq, hidden]`
    fn embed(&self, rows: Tensor<3>, input: &BertInput, pass: Pass) -> Tensor<3>;

    /// Adds the gradients of looked-up rows to the gradient of the input table.
    ///
    /// # Shapes
    /// - `sum`: that of the table so far, `[vocabulary, width]`; `None` stands for zeros
    /// - `rows`: `[batch, seq, width]`
    /// - output: `[vocabulary, width]`
    fn add_input_gradient(
        &self,
        sum: Option<Tensor<2>>,
        input: &BertInput,
        rows: Tensor<3>,
    ) -> Tensor<2>;

    /// The last layer's output, all of it one graph.
    ///
    /// # Shapes
    /// - output: `[batch, seq, hidden]`
    fn encode(&self, input: &BertInput, pass: Pass) -> Tensor<3>;
}

/// A layer of an [`Encoder`].
pub trait EncoderLayer: Module {
    /// The layer's output; `number` counts layers from the input up, and decides the layer's dropout masks.
    ///
    /// # Shapes
    /// - `hidden_states`: `[batch, seq, hidden]`; the output has the same
    fn forward(
        &self,
        hidden_states: Tensor<3>,
        input: &BertInput,
        number: usize,
        pass: Pass,
    ) -> Tensor<3>;
}

/// Trainable numbers of an encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncoderSize {
    /// Below the first layer.
    pub embeddings: u64,
    /// Of each layer.
    pub layer: u64,
}

/// What an encoder can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InputLimits {
    /// Token ids are below this number.
    pub vocabulary: usize,
    /// Tokens of the longest row.
    pub length: usize,
    /// Segments that it tells apart.
    pub segments: usize,
}
