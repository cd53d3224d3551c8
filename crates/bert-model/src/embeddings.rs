//! Token ids to vectors: word, position and segment embeddings, summed and normalised.

use bert_kernels::dropout::{Dropout, Phase, dropout};
use burn::module::{Module, Param};
use burn::tensor::Tensor;

use crate::ModelError;
use crate::config::BertConfig;
use crate::dropout_sites::EMBEDDINGS;
use crate::init::{Fill, ParameterSource};
use crate::layer_norm::LayerNorm;
use crate::model::BertInput;

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
            layer_norm: source.layer_norm("LayerNorm", width, config.layer_norm_eps)?,
            pad_token_id: config.pad_token_id,
            dropout: config.hidden_dropout_prob,
        })
    }

    /// # Shapes
    /// - output: `[batch, seq, hidden]`
    pub(crate) fn forward(&self, input: &BertInput, phase: Phase) -> Tensor<3> {
        let [batch, seq] = input.input_ids.dims();
        let words = self.words(input);
        let [_, hidden] = self.position_embeddings.weight.dims();
        // Positions are 0..seq in every row: a slice and a broadcast, not a gather.
        let positions = self
            .position_embeddings
            .weight
            .val()
            .slice([0..seq, 0..hidden])
            .unsqueeze::<3>(); // [seq, hidden] → [1, seq, hidden]
        let types = self.types(input, [batch, seq, hidden]);
        let sum = words + positions + types;
        dropout(
            self.layer_norm.forward(sum),
            Dropout::at(EMBEDDINGS, self.dropout, phase),
        )
    }

    /// Word vectors; those of `[PAD]` are constants, as `padding_idx` makes them in PyTorch.
    fn words(&self, input: &BertInput) -> Tensor<3> {
        let table = self.word_embeddings.weight.val();
        let words = burn::tensor::module::embedding(table, input.input_ids.clone());
        let is_pad = input
            .input_ids
            .clone()
            .equal_scalar(self.pad_token_id as i64)
            .unsqueeze_dim::<3>(2)
            .expand(words.dims());
        let constant = words.clone().detach();
        words.mask_where(is_pad, constant)
    }

    /// Segment vectors. With two types they are a blend of the table's rows, which spares the slow
    /// backward pass of a gather.
    fn types(&self, input: &BertInput, [batch, seq, hidden]: [usize; 3]) -> Tensor<3> {
        let table = self.token_type_embeddings.weight.val();
        if table.dims()[0] != 2 {
            return burn::tensor::module::embedding(table, input.token_type_ids.clone());
        }
        let second = input
            .token_type_ids
            .clone()
            .float()
            .reshape([batch, seq, 1]);
        let row = |n: usize| {
            table
                .clone()
                .slice([n..n + 1, 0..hidden])
                .reshape([1, 1, hidden])
        };
        let first = second.clone().neg() + 1.0;
        row(0) * first + row(1) * second
    }
}
