//! The first token's vector through a dense layer and tanh: the input of sequence-level heads.

use bert_kernels::Precision;
use burn::module::Module;
use burn::tensor::Tensor;

use crate::ModelError;
use crate::config::BertConfig;
use crate::init::ParameterSource;
use crate::linear::Linear;

#[derive(Module, Debug)]
pub(crate) struct Pooler {
    dense: Linear,
}

impl Pooler {
    pub(crate) fn build(
        config: &BertConfig,
        source: &mut ParameterSource<'_>,
    ) -> Result<Self, ModelError> {
        let hidden = config.hidden_size;
        Ok(Self {
            dense: source.linear("dense", hidden, hidden)?,
        })
    }

    /// # Shapes
    /// - `last_hidden_state`: `[batch, seq, hidden]`
    /// - output: `[batch, hidden]`
    pub(crate) fn forward(&self, last_hidden_state: Tensor<3>, precision: Precision) -> Tensor<2> {
        let [batch, _, hidden] = last_hidden_state.dims();
        let first = last_hidden_state
            .slice([0..batch, 0..1, 0..hidden])
            .reshape([batch, hidden]); // [batch, seq, hidden] → [batch, hidden]
        self.dense.forward_vectors(first, precision).tanh()
    }
}
