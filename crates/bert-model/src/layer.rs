//! A post-LayerNorm Transformer layer.

use bert_kernels::{Pass, Precision, linear_gelu};
use burn::module::Module;
use burn::tensor::Tensor;

use crate::attention::{ResidualOutput, SelfAttention};
use crate::config::BertConfig;
use crate::dropout_sites;
use crate::init::ParameterSource;
use crate::linear::Linear;
use crate::{BertInput, EncoderLayer, HiddenAct, ModelError};

/// Self-attention, then a feed-forward network, each with a residual and a LayerNorm after it.
#[derive(Module, Debug)]
pub struct BertLayer {
    attention: SelfAttention,
    attention_output: ResidualOutput,
    intermediate: Intermediate,
    output: ResidualOutput,
}

#[derive(Module, Debug)]
struct Intermediate {
    dense: Linear,
    #[module(skip)]
    hidden_act: HiddenAct,
}

impl Intermediate {
    /// # Shapes
    /// - `x`: `[batch, seq, hidden]`
    /// - output: `[batch, seq, inner]`
    fn forward(&self, x: Tensor<3>, precision: Precision) -> Tensor<3> {
        match self.hidden_act {
            HiddenAct::Gelu => linear_gelu(x, self.dense.parameters(), precision),
            other => other.forward(self.dense.forward(x, precision)),
        }
    }
}

impl BertLayer {
    pub(crate) fn build(
        config: &BertConfig,
        source: &mut ParameterSource<'_>,
    ) -> Result<Self, ModelError> {
        let (hidden, inner) = (config.hidden_size, config.intermediate_size);
        Ok(Self {
            attention: source.at("attention", |source| SelfAttention::build(config, source))?,
            attention_output: source.at("attention_output", |source| {
                ResidualOutput::build(config, hidden, source)
            })?,
            intermediate: source.at("intermediate", |source| {
                Ok(Intermediate {
                    dense: source.linear("dense", hidden, inner)?,
                    hidden_act: config.hidden_act,
                })
            })?,
            output: source.at("output", |source| {
                ResidualOutput::build(config, inner, source)
            })?,
        })
    }

    /// Heads of its attention, and the width of its feed-forward network.
    pub(crate) fn shape(&self) -> [usize; 2] {
        [self.attention.heads(), self.intermediate.dense.outputs()]
    }
}

impl EncoderLayer for BertLayer {
    fn forward(
        &self,
        hidden_states: Tensor<3>,
        input: &BertInput,
        number: usize,
        pass: Pass,
    ) -> Tensor<3> {
        let mask = input.attention_mask.as_ref();
        let context = self
            .attention
            .forward(hidden_states.clone(), mask, number, pass);
        let site = dropout_sites::attention_output(number);
        let attended = self
            .attention_output
            .forward(context, hidden_states, site, pass);
        let inner = self.intermediate.forward(attended.clone(), pass.precision);
        self.output
            .forward(inner, attended, dropout_sites::output(number), pass)
    }
}
