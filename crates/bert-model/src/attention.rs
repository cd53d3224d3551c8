//! Multi-head self-attention (Vaswani et al. 2017, 3.2), and how both sub-layers of a BERT layer end.

use bert_kernels::{Dropout, Pass, attention, linear_residual_layer_norm};
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
    dense: Linear,
    layer_norm: LayerNorm,
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

    /// # Shapes
    /// - `x`: `[batch, seq, hidden]`; the output has the same, in the type of a product's operands
    /// - `mask`: `[batch, seq]`, 1 = attend
    pub(crate) fn forward(
        &self,
        x: Tensor<3>,
        mask: Option<&Tensor<2>>,
        layer: usize,
        pass: Pass,
    ) -> Tensor<3> {
        let site = dropout_sites::attention_probabilities(layer);
        let [_, seq, _] = x.dims();
        // A row's weights are [heads, seq, seq].
        let row = self.heads * seq * seq;
        let with = bert_kernels::Attention {
            heads: self.heads,
            mask,
            dropout: Dropout::at(site, self.dropout, pass.phase, row),
        };
        let projections = [&self.query, &self.key, &self.value].map(Linear::parameters);
        attention(x, projections, &with, pass.precision)
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

    /// # Shapes
    /// - `x`: `[batch, seq, input]`
    /// - `residual`: `[batch, seq, hidden]`; the output has the same
    pub(crate) fn forward(
        &self,
        x: Tensor<3>,
        residual: Tensor<3>,
        site: u64,
        pass: Pass,
    ) -> Tensor<3> {
        let [_, seq, hidden] = residual.dims();
        let dropout = Dropout::at(site, self.dropout, pass.phase, seq * hidden);
        linear_residual_layer_norm(
            x,
            self.dense.parameters(),
            residual,
            self.layer_norm.parameters(),
            dropout,
            pass.precision,
        )
    }
}
