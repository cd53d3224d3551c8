//! Embeddings, encoder and (where the task has one) pooler.

use bert_kernels::{Pass, Precision};
use burn::module::Module;
use burn::tensor::{Int, Tensor};

use crate::ModelError;
use crate::config::BertConfig;
use crate::embeddings::Embeddings;
use crate::encoder::{Encoder, EncoderLayer};
use crate::init::ParameterSource;
use crate::pooler::Pooler;

/// BERT without a task head. Its tensors are those under `bert.` in a checkpoint.
#[derive(Module, Debug)]
pub struct BertModel {
    embeddings: Embeddings,
    encoder: Encoder,
    pooler: Option<Pooler>,
}

/// One padded batch.
#[derive(Debug, Clone)]
pub struct BertInput {
    /// WordPiece ids, `[batch, seq]`; rows are padded with `[PAD]`.
    pub input_ids: Tensor<2, Int>,
    /// Segment of each token, `[batch, seq]`.
    pub token_type_ids: Tensor<2, Int>,
    /// `[batch, seq]`, 1 = attend, 0 = padding; `None` when no row is padded.
    pub attention_mask: Option<Tensor<2>>,
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
            encoder: source.at("encoder", |source| Encoder::build(config, source))?,
            pooler: match with_pooler {
                true => Some(source.at("pooler", |source| Pooler::build(config, source))?),
                false => None,
            },
        })
    }

    /// What the encoder begins with: embeddings, normalised and dropped. Its pieces are for training a layer at a
    /// time; see [`BertModel::encode`] for the whole.
    pub fn embeddings(&self) -> &Embeddings {
        &self.embeddings
    }

    /// The encoder's layers, from the input up.
    pub fn layers(&self) -> &[EncoderLayer] {
        &self.encoder.layer
    }

    /// The last layer's output.
    ///
    /// # Shapes
    /// - output: `[batch, seq, hidden]`
    pub fn encode(&self, input: &BertInput, pass: Pass) -> Tensor<3> {
        self.run(input, pass, |_| {})
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
        for (n, layer) in self.encoder.layer.iter().enumerate() {
            state = layer.forward(state, input.attention_mask.as_ref(), n, pass);
            visit(&state);
        }
        state
    }
}
