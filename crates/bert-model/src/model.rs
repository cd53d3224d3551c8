//! BERT: embeddings, layers and (where the task has one) pooler.

use bert_kernels::{Pass, Precision};
use burn::module::{Module, Param};
use burn::tensor::Tensor;

use crate::buffers;
use crate::checkpoint::{BERT, TensorNames};
use crate::config::BertConfig;
use crate::embeddings::Embeddings;
use crate::encoder::{Encoder, EncoderLayer, EncoderSize, InputLimits};
use crate::heads::linear;
use crate::init::ParameterSource;
use crate::input::BertInput;
use crate::layer::BertLayer;
use crate::pooler::Pooler;
use crate::{LargestTensor, ModelError};

/// BERT without a task head. Its tensors are those under `bert.` in a checkpoint.
#[derive(Module, Debug)]
pub struct BertModel {
    embeddings: Embeddings,
    layers: Vec<BertLayer>,
    pooler: Option<Pooler>,
}

/// What the encoder gives for a batch.
#[derive(Debug, Clone)]
pub struct BertOutput {
    /// The embeddings' output and each layer's, `num_hidden_layers + 1` of `[batch, seq, hidden]`, where
    /// they were asked for; else only the last.
    pub hidden_states: Vec<Tensor<3>>,
    /// `[batch, hidden]`, where the model has a pooler.
    pub pooled_output: Option<Tensor<2>>,
}

impl BertOutput {
    /// The last layer's output, `[batch, seq, hidden]`.
    pub fn last_hidden_state(&self) -> Tensor<3> {
        self.hidden_states
            .last()
            .expect("an output has at least one hidden state")
            .clone()
    }
}

impl BertModel {
    /// Takes every parameter from `source`, whose path is the model's own.
    ///
    /// # Errors
    /// When a tensor of the source has another shape or is damaged.
    pub fn build(
        config: &BertConfig,
        with_pooler: bool,
        source: &mut ParameterSource<'_>,
    ) -> Result<Self, ModelError> {
        Ok(Self {
            embeddings: source.at("embeddings", |source| Embeddings::build(config, source))?,
            layers: source.at("layers", |source| {
                let build =
                    |n: usize| source.at(&n.to_string(), |source| BertLayer::build(config, source));
                (0..config.num_hidden_layers).map(build).collect()
            })?,
            pooler: if with_pooler {
                Some(source.at("pooler", |source| Pooler::build(config, source))?)
            } else {
                None
            },
        })
    }

    /// The first token's pooled vector, for sequence-level heads.
    ///
    /// # Shapes
    /// - `last_hidden_state`: `[batch, seq, hidden]`
    /// - output: `[batch, hidden]`
    ///
    /// # Panics
    /// When the model was built without a pooler.
    pub fn pool(&self, last_hidden_state: Tensor<3>, precision: Precision) -> Tensor<2> {
        let pooler = self
            .pooler
            .as_ref()
            .expect("the model was built with a pooler");
        pooler.forward(last_hidden_state, precision)
    }

    /// Every layer's output and the pooled vector.
    pub fn forward(&self, input: &BertInput, pass: Pass) -> BertOutput {
        let mut hidden_states = Vec::new();
        let last = self.run(input, pass, |state| hidden_states.push(state.clone()));
        BertOutput {
            hidden_states,
            pooled_output: self
                .pooler
                .as_ref()
                .map(|pooler| pooler.forward(last, pass.precision)),
        }
    }

    fn run(&self, input: &BertInput, pass: Pass, mut visit: impl FnMut(&Tensor<3>)) -> Tensor<3> {
        let mut state = self.embeddings.forward(input, pass);
        visit(&state);
        for (number, layer) in self.layers.iter().enumerate() {
            state = layer.forward(state, input, number, pass);
            visit(&state);
        }
        state
    }
}

impl Encoder for BertModel {
    type Layer = BertLayer;
    const NAMES: &'static TensorNames = &BERT;

    fn limits(config: &BertConfig) -> InputLimits {
        InputLimits {
            vocabulary: config.vocab_size,
            length: config.max_position_embeddings,
            segments: config.type_vocab_size,
        }
    }

    fn size(config: &BertConfig) -> EncoderSize {
        let (hidden, inner) = (config.hidden_size as u64, config.intermediate_size as u64);
        let tables = config.vocab_size + config.max_position_embeddings + config.type_vocab_size;
        EncoderSize {
            embeddings: tables as u64 * hidden + 2 * hidden,
            layer: 4 * linear(hidden, hidden)
                + linear(hidden, inner)
                + linear(inner, hidden)
                + 4 * hidden,
        }
    }

    fn pad_token_id(&self) -> usize {
        self.embeddings.pad_token_id()
    }

    fn largest_activation(&self, rows: usize, width: usize) -> LargestTensor {
        let [heads, inner] = self.layers.first().map_or([0, 0], BertLayer::shape);
        buffers::of_layer(heads, inner, rows, width)
    }

    fn layers(&self) -> &[BertLayer] {
        &self.layers
    }

    fn input_table(&self) -> &Param<Tensor<2>> {
        self.embeddings.word_table()
    }

    fn look_up(&self, input: &BertInput) -> Tensor<3> {
        self.embeddings.look_up(input)
    }

    fn embed(&self, rows: Tensor<3>, input: &BertInput, pass: Pass) -> Tensor<3> {
        self.embeddings.embed(rows, input, pass)
    }

    fn add_input_gradient(
        &self,
        sum: Option<Tensor<2>>,
        input: &BertInput,
        rows: Tensor<3>,
    ) -> Tensor<2> {
        self.embeddings.add_word_gradient(sum, input, rows)
    }

    fn encode(&self, input: &BertInput, pass: Pass) -> Tensor<3> {
        self.run(input, pass, |_| {})
    }
}
