//! A post-LayerNorm Transformer layer.

use bert_kernels::{Activation, LayerParameters, Pass, encoder_layer};
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
        let [_, seq, hidden] = hidden_states.dims();
        let row = seq * hidden;
        let mask = input.attention_mask.as_ref();
        let hidden_act = self.intermediate.hidden_act;
        let other = |x| hidden_act.forward(x);
        let activation = match hidden_act {
            HiddenAct::Gelu => Activation::Gelu,
            _ => Activation::Other(&other),
        };
        let (behind, last) = (&self.attention_output, &self.output);
        let parameters = LayerParameters {
            attention: self.attention.parameters(),
            attention_output: behind.dense.parameters(),
            attention_norm: behind.layer_norm.parameters(),
            intermediate: self.intermediate.dense.parameters(),
            output: last.dense.parameters(),
            output_norm: last.layer_norm.parameters(),
        };
        encoder_layer(
            hidden_states,
            parameters,
            &self.attention.with(mask, seq, number, pass.phase),
            &activation,
            [
                behind.dropout(dropout_sites::attention_output(number), row, pass.phase),
                last.dropout(dropout_sites::output(number), row, pass.phase),
            ],
            pass.precision,
        )
    }
}
