//! Task heads on top of an encoder, one file a head.

mod classifier;
mod losses;
mod multiple_choice;
mod question_answering;
mod sequence_classification;

use std::ops::RangeInclusive;

use bert_kernels::{Pass, Precision};
use burn::module::Module;
use burn::tensor::Tensor;

use crate::encoder::EncoderSize;
use crate::init::ParameterSource;
use crate::{BertConfig, BertInput, Encoder, ModelError};

pub use bert_kernels::cross_entropy;
pub use losses::{binary_cross_entropy, span_loss, squared_error, weighted_cross_entropy};
pub use multiple_choice::BertForMultipleChoice;
pub use question_answering::{BertForQuestionAnswering, SpanLogits};
pub use sequence_classification::BertForSequenceClassification;

/// An encoder with a head, as checkpoints and the training loop see it.
pub trait TaskModel: Module {
    /// What stands under the head.
    type Encoder: Encoder;
    /// Its name in `architectures` of `config.json`.
    const ARCHITECTURE: &'static str;
    /// What the names of the head's tensors begin with.
    const HEAD: &'static str;
    /// Whether the head stands on the pooled vector of a row, or on each token's.
    const POOLED: bool;

    /// Outputs of the head, for each row or token.
    fn outputs(config: &BertConfig) -> usize;

    /// Takes every parameter from `source`.
    ///
    /// # Errors
    /// When a tensor of the source has another shape or is damaged.
    fn build(config: &BertConfig, source: &mut ParameterSource<'_>) -> Result<Self, ModelError>;

    /// The encoder under the head.
    fn encoder(&self) -> &Self::Encoder;
}

/// The arithmetic of heads, whatever the encoder's: they cost nothing beside it, and logits of 16 bits are coarser than
/// the difference between two endings or two answers.
const OF_HEADS: Precision = Precision::Fp32;

/// Trainable numbers of a model, without building it.
pub fn parameter_count<M: TaskModel>(config: &BertConfig) -> u64 {
    let EncoderSize { embeddings, layer } = M::Encoder::size(config);
    let hidden = config.hidden_size as u64;
    let pooler = if M::POOLED { linear(hidden, hidden) } else { 0 };
    embeddings
        + config.num_hidden_layers as u64 * layer
        + pooler
        + linear(hidden, M::outputs(config) as u64)
}

/// Numbers of a linear layer.
pub(crate) fn linear(from: u64, to: u64) -> u64 {
    from * to + to
}

/// A model that scores whole examples: the classes of a text, or the endings of a choice.
pub trait ExampleModel: TaskModel {
    /// How many rows of a batch may make one example: 1, or one for each of its choices.
    const ROWS_PER_EXAMPLE: RangeInclusive<usize>;

    /// Scores each example by the encoder's output.
    ///
    /// # Shapes
    /// - `last_hidden_state`: `[examples * rows_per_example, seq, hidden]`
    /// - output: `[examples, outputs]`
    ///
    /// # Panics
    /// When an example of the model cannot have that number of rows.
    fn head(&self, last_hidden_state: Tensor<3>, rows_per_example: usize, pass: Pass) -> Tensor<2>;

    /// Scores each example.
    ///
    /// # Shapes
    /// - `input`: `[examples * rows_per_example, seq]`
    /// - output: `[examples, outputs]`
    ///
    /// # Panics
    /// Those of [`ExampleModel::head`].
    fn logits(&self, input: &BertInput, rows_per_example: usize, pass: Pass) -> Tensor<2> {
        let last_hidden_state = self.encoder().encode(input, pass);
        self.head(last_hidden_state, rows_per_example, pass)
    }
}
