//! The stack of post-LayerNorm Transformer layers.

use bert_kernels::Pass;
use burn::module::Module;
use burn::tensor::Tensor;

use crate::attention::{Attention, ResidualOutput};
use crate::config::BertConfig;
use crate::dropout_sites;
use crate::init::ParameterSource;
use crate::linear::Linear;
use crate::{HiddenAct, ModelError};

#[derive(Module, Debug)]
pub(crate) struct Encoder {
    pub(crate) layer: Vec<EncoderLayer>,
}

/// Self-attention, then a feed-forward network, each with a residual and a LayerNorm after it.
#[derive(Module, Debug)]
pub struct EncoderLayer {
    attention: Attention,
    intermediate: Intermediate,
    output: ResidualOutput,
}

#[derive(Module, Debug)]
struct Intermediate {
    dense: Linear,
    #[module(skip)]
    hidden_act: HiddenAct,
}

impl Encoder {
    pub(crate) fn build(
        config: &BertConfig,
        source: &mut ParameterSource<'_>,
    ) -> Result<Self, ModelError> {
        source.at("layer", |source| {
            let layer = (0..config.num_hidden_layers)
                .map(|n| source.at(&n.to_string(), |source| EncoderLayer::build(config, source)))
                .collect::<Result<_, _>>()?;
            Ok(Self { layer })
        })
    }
}

impl EncoderLayer {
    fn build(config: &BertConfig, source: &mut ParameterSource<'_>) -> Result<Self, ModelError> {
        let (hidden, inner) = (config.hidden_size, config.intermediate_size);
        Ok(Self {
            attention: source.at("attention", |source| Attention::build(config, source))?,
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

    /// The layer's output; `layer` is its number from the input up, which its dropout masks depend on.
    ///
    /// # Shapes
    /// - `hidden_states`: `[batch, seq, hidden]`; the output has the same
    /// - `mask`: `[batch, seq]`, 1 = attend
    pub fn forward(
        &self,
        hidden_states: Tensor<3>,
        mask: Option<&Tensor<2>>,
        layer: usize,
        pass: Pass,
    ) -> Tensor<3> {
        let attended = self.attention.forward(hidden_states, mask, layer, pass);
        let inner = self
            .intermediate
            .dense
            .forward(attended.clone(), pass.precision);
        let inner = self.intermediate.hidden_act.forward(inner);
        self.output
            .forward(inner, attended, dropout_sites::output(layer), pass)
    }
}
