//! Multi-head self-attention (Vaswani et al. 2017, 3.2), and how both sub-layers of a BERT layer end.

use bert_kernels::{Attention, Dropout, LinearParameters, Phase};
use burn::module::Module;
use burn::tensor::Tensor;

use crate::ModelError;
use crate::config::BertConfig;
use crate::dropout_sites;
use crate::init::ParameterSource;
use crate::layer_norm::LayerNorm;
use crate::linear::Linear;

/// Queries, keys and values, and what each token gathers by them.
#[derive(Module, Debug)]
pub(crate) struct SelfAttention {
    query: Linear,
    key: Linear,
    value: Linear,
    #[module(skip)]
    heads: usize,
    #[module(skip)]
    dropout: f64,
}

/// `LayerNorm(dropout(dense(x)) + residual)`: how both sub-layers of a BERT layer end.
#[derive(Module, Debug)]
pub(crate) struct ResidualOutput {
    pub(crate) dense: Linear,
    pub(crate) layer_norm: LayerNorm,
    #[module(skip)]
    dropout: f64,
}

impl SelfAttention {
    pub(crate) fn heads(&self) -> usize {
        self.heads
    }

    pub(crate) fn build(
        config: &BertConfig,
        source: &mut ParameterSource<'_>,
    ) -> Result<Self, ModelError> {
        let hidden = config.hidden_size;
        Ok(Self {
            query: source.linear("query", hidden, hidden)?,
            key: source.linear("key", hidden, hidden)?,
            value: source.linear("value", hidden, hidden)?,
            heads: config.num_attention_heads,
            dropout: config.attention_probs_dropout_prob,
        })
    }

    /// The layers of queries, keys and values.
    pub(crate) fn parameters(&self) -> [LinearParameters; 3] {
        [&self.query, &self.key, &self.value].map(Linear::parameters)
    }

    /// What else attention over rows of `seq` tokens is computed with in a layer, by the layer's number.
    ///
    /// # Shapes
    /// - `mask`: `[batch, seq]`, 1 = attend
    pub(crate) fn with<'a>(
        &self,
        mask: Option<&'a Tensor<2>>,
        seq: usize,
        layer: usize,
        phase: Phase,
    ) -> Attention<'a> {
        let site = dropout_sites::attention_probabilities(layer);
        // A row's weights are [heads, seq, seq].
        let row = self.heads * seq * seq;
        Attention {
            heads: self.heads,
            mask,
            dropout: Dropout::at(site, self.dropout, phase, row),
        }
    }
}

impl ResidualOutput {
    /// `input` is the width of what `dense` receives.
    pub(crate) fn build(
        config: &BertConfig,
        input: usize,
        source: &mut ParameterSource<'_>,
    ) -> Result<Self, ModelError> {
        Ok(Self {
            dense: source.linear("dense", input, config.hidden_size)?,
            layer_norm: source.layer_norm(
                "layer_norm",
                config.hidden_size,
                config.layer_norm_eps,
            )?,
            dropout: config.hidden_dropout_prob,
        })
    }

    /// The dropout of what `dense` gives, which has `row` elements for each row of the batch.
    pub(crate) fn dropout(&self, site: u64, row: usize, phase: Phase) -> Option<Dropout> {
        Dropout::at(site, self.dropout, phase, row)
    }
}
