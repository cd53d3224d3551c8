//! Token ids to vectors: word, position and segment embeddings, summed and normalised.

use bert_kernels::{Dropout, EmbeddingTables, Pass};
use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::module::embedding;

use crate::ModelError;
use crate::config::BertConfig;
use crate::dropout_sites::EMBEDDINGS;
use crate::init::{Fill, ParameterSource};
use crate::input::BertInput;
use crate::layer_norm::LayerNorm;

/// The three tables and their normalisation.
#[derive(Module, Debug)]
pub(crate) struct Embeddings {
    word_embeddings: Embedding,
    position_embeddings: Embedding,
    token_type_embeddings: Embedding,
    layer_norm: LayerNorm,
    #[module(skip)]
    pad_token_id: usize,
    #[module(skip)]
    dropout: f64,
}

/// A table of shape `[entries, width]`.
#[derive(Module, Debug)]
pub(crate) struct Embedding {
    weight: Param<Tensor<2>>,
}

impl Embeddings {
    pub(crate) fn build(
        config: &BertConfig,
        source: &mut ParameterSource<'_>,
    ) -> Result<Self, ModelError> {
        let width = config.hidden_size;
        let table = |weight| Embedding { weight };
        let positions = config.max_position_embeddings;
        Ok(Self {
            word_embeddings: source
                .embedding("word_embeddings", [config.vocab_size, width], Fill::Normal)
                .map(table)?,
            position_embeddings: source
                .embedding("position_embeddings", [positions, width], Fill::Sinusoidal)
                .map(table)?,
            token_type_embeddings: source
                .embedding(
                    "token_type_embeddings",
                    [config.type_vocab_size, width],
                    Fill::Normal,
                )
                .map(table)?,
            layer_norm: source.layer_norm("layer_norm", width, config.layer_norm_eps)?,
            pad_token_id: config.pad_token_id,
            dropout: config.hidden_dropout_prob,
        })
    }

    /// # Shapes
    /// - output: `[batch, seq, hidden]`
    pub(crate) fn forward(&self, input: &BertInput, pass: Pass) -> Tensor<3> {
        self.embed(self.words(input), input, pass)
    }

    /// The vectors of the words, as constants.
    pub(crate) fn look_up(&self, input: &BertInput) -> Tensor<3> {
        let table = self.word_embeddings.weight.val().without_autodiff();
        embedding(table, input.input_ids.clone())
    }

    /// The sum of words, positions and segments, normalised and dropped.
    pub(crate) fn embed(&self, words: Tensor<3>, input: &BertInput, pass: Pass) -> Tensor<3> {
        let [_, seq, hidden] = words.dims();
        bert_kernels::embed(
            words,
            EmbeddingTables {
                positions: self.position_embeddings.weight.val(),
                types: self.token_type_embeddings.weight.val(),
            },
            &input.token_type_ids,
            self.layer_norm.parameters(),
            Dropout::at(EMBEDDINGS, self.dropout, pass.phase, seq * hidden),
        )
    }

    /// The table in which words are looked up.
    pub(crate) fn word_table(&self) -> &Param<Tensor<2>> {
        &self.word_embeddings.weight
    }

    /// Adds the gradients of looked-up words to the gradient of the table. `[PAD]`'s vector takes none, as
    /// `padding_idx` makes it in PyTorch.
    pub(crate) fn add_word_gradient(
        &self,
        table: Option<Tensor<2>>,
        input: &BertInput,
        words: Tensor<3>,
    ) -> Tensor<2> {
        let table = table.unwrap_or_else(|| {
            let dims = self.word_embeddings.weight.val().dims();
            Tensor::zeros(dims, &words.device())
        });
        bert_kernels::add_rows_into(table, input.input_ids.clone(), words, self.pad_token_id)
    }

    /// Id of `[PAD]`.
    pub(crate) fn pad_token_id(&self) -> usize {
        self.pad_token_id
    }

    /// Word vectors; those of `[PAD]` are constants.
    fn words(&self, input: &BertInput) -> Tensor<3> {
        let table = self.word_embeddings.weight.val();
        let is_tracked = table.is_autodiff();
        let words = embedding(table, input.input_ids.clone());
        if !is_tracked {
            return words;
        }
        let is_pad = input
            .input_ids
            .clone()
            .equal_scalar(self.pad_token_id as i64)
            .unsqueeze_dim::<3>(2)
            .expand(words.dims());
        let constant = words.clone().detach();
        words.mask_where(is_pad, constant)
    }
}
