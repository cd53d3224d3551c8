//! Task heads on top of an encoder, one file a head.

mod classifier;
mod losses;
mod multiple_choice;
mod question_answering;
mod sequence_classification;

use std::ops::RangeInclusive;

use bert_kernels::Pass;
use burn::module::Module;
use burn::tensor::Tensor;

use crate::init::ParameterSource;
use crate::{BertConfig, BertInput, Encoder, ModelError};

pub use losses::{cross_entropy, span_loss, squared_error};
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

/// Numbers of a linear layer.
fn linear(from: u64, to: u64) -> u64 {
    from * to + to
}

/// Trainable numbers of a layer of the encoder.
pub fn layer_parameters(config: &BertConfig) -> u64 {
    let (hidden, inner) = (config.hidden_size as u64, config.intermediate_size as u64);
    4 * linear(hidden, hidden) + linear(hidden, inner) + linear(inner, hidden) + 4 * hidden
}

/// Trainable numbers of a model, without building it.
pub fn parameter_count<M: TaskModel>(config: &BertConfig) -> u64 {
    let count = |n: usize| n as u64;
    let hidden = count(config.hidden_size);
    let tables = config.vocab_size + config.max_position_embeddings + config.type_vocab_size;
    let pooler = if M::POOLED { linear(hidden, hidden) } else { 0 };
    count(tables) * hidden
        + 2 * hidden
        + count(config.num_hidden_layers) * layer_parameters(config)
        + pooler
        + linear(hidden, count(M::outputs(config)))
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
    /// When the model cannot have so many rows in an example.
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
