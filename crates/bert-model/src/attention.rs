//! Multi-head self-attention with its output projection (Vaswani et al. 2017, 3.2).

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::activation::softmax;
use burn::tensor::Tensor;

use crate::ModelError;
use crate::config::BertConfig;
use crate::dropout::{Phase, Site, dropout};
use crate::init::ParameterSource;
use crate::layer_norm::LayerNorm;

/// Attention, projection, residual and normalisation.
#[derive(Module, Debug)]
pub(crate) struct Attention {
    /// `self` in checkpoints.
    self_attention: SelfAttention,
    output: ResidualOutput,
}

#[derive(Module, Debug)]
struct SelfAttention {
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

impl Attention {
    pub(crate) fn build(config: &BertConfig, source: &mut ParameterSource<'_>) -> Result<Self, ModelError> {
        let hidden = config.hidden_size;
        Ok(Self {
            self_attention: source.at("self", |source| {
                Ok(SelfAttention {
                    query: source.linear("query", hidden, hidden)?,
                    key: source.linear("key", hidden, hidden)?,
                    value: source.linear("value", hidden, hidden)?,
                    heads: config.num_attention_heads,
                    dropout: config.attention_probs_dropout_prob,
                })
            })?,
            output: source.at("output", |source| {
                ResidualOutput::build(config, hidden, source)
            })?,
        })
    }

    /// # Shapes
    /// - `hidden_states`: `[batch, seq, hidden]`; the output has the same
    /// - `mask`: `[batch, 1, 1, seq]`, added to the scores
    pub(crate) fn forward(
        &self,
        hidden_states: Tensor<3>,
        mask: Option<&Tensor<4>>,
        layer: usize,
        phase: Phase,
    ) -> Tensor<3> {
        let context = self.self_attention.forward(hidden_states.clone(), mask, layer, phase);
        let site = Site::AttentionOutput { layer };
        self.output.forward(context, hidden_states, site, phase)
    }
}

impl SelfAttention {
    fn forward(&self, x: Tensor<3>, mask: Option<&Tensor<4>>, layer: usize, phase: Phase) -> Tensor<3> {
        let [batch, seq, hidden] = x.dims();
        let head_size = hidden / self.heads;
        let split = |projected: Tensor<3>| {
            projected
                .reshape([batch, seq, self.heads, head_size])
                .swap_dims(1, 2) // [batch, seq, heads, head] → [batch, heads, seq, head]
        };
        // Scaling the queries costs less than scaling the scores.
        let query = split(self.query.forward(x.clone()) * (head_size as f64).sqrt().recip());
        let key = split(self.key.forward(x.clone()));
        let value = split(self.value.forward(x));

        let mut scores = query.matmul(key.swap_dims(2, 3)); // [batch, heads, seq, seq]
        if let Some(mask) = mask {
            scores = scores + mask.clone();
        }
        let site = Site::AttentionProbabilities { layer };
        let probabilities = dropout(softmax(scores, 3), self.dropout, site, phase);
        probabilities
            .matmul(value)
            .swap_dims(1, 2) // [batch, heads, seq, head] → [batch, seq, heads, head]
            .reshape([batch, seq, hidden])
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
            layer_norm: source.layer_norm("LayerNorm", config.hidden_size, config.layer_norm_eps)?,
            dropout: config.hidden_dropout_prob,
        })
    }

    /// # Shapes
    /// - `x`: `[batch, seq, input]`
    /// - `residual`: `[batch, seq, hidden]`; the output has the same
    pub(crate) fn forward(&self, x: Tensor<3>, residual: Tensor<3>, site: Site, phase: Phase) -> Tensor<3> {
        let dropped = dropout(self.dense.forward(x), self.dropout, site, phase);
        self.layer_norm.forward(dropped + residual)
    }
}
