//! A linear layer on the dropped-out pooled vector: what the sequence-level heads share.

use bert_kernels::Pass;
use bert_kernels::dropout::{Dropout, dropout};
use burn::tensor::Tensor;

use crate::dropout_sites::POOLED_OUTPUT;
use crate::heads::OF_HEADS;
use crate::init::ParameterSource;
use crate::linear::Linear;
use crate::{BertConfig, BertModel, ModelError};

/// BERT with its pooler, and the layer. The tensors of both stand at the root of a checkpoint, so the heads
/// hold these parts side by side and borrow them as one.
pub(super) struct Classifier<'a> {
    pub(super) bert: &'a BertModel,
    pub(super) layer: &'a Linear,
    pub(super) dropout: f64,
}

/// Takes both parts from `source`.
///
/// # Errors
/// When a tensor of the source has another shape or is damaged.
pub(super) fn build(
    config: &BertConfig,
    outputs: usize,
    source: &mut ParameterSource<'_>,
) -> Result<(BertModel, Linear), ModelError> {
    let bert = source.at("bert", |source| BertModel::build(config, true, source))?;
    let layer = source.linear("classifier", config.hidden_size, outputs)?;
    Ok((bert, layer))
}

impl Classifier<'_> {
    /// # Shapes
    /// - `last_hidden_state`: `[rows, seq, hidden]`
    /// - output: `[rows, outputs]`
    pub(super) fn forward(&self, last_hidden_state: Tensor<3>, pass: Pass) -> Tensor<2> {
        let pooled = self.bert.pool(last_hidden_state, pass.precision); // [rows, hidden]
        let [_, hidden] = pooled.dims();
        let with = Dropout::at(POOLED_OUTPUT, self.dropout, pass.phase, hidden);
        let dropped = dropout(pooled, with);
        self.layer.forward_vectors(dropped, OF_HEADS)
    }
}
