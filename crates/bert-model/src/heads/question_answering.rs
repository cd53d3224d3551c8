//! Extractive question answering: a start and an end score for each token.

use bert_kernels::Pass;
use burn::module::Module;
use burn::tensor::Tensor;

use super::{OF_HEADS, TaskModel};
use crate::init::ParameterSource;
use crate::linear::Linear;
use crate::{BertConfig, BertInput, BertModel, Encoder, ModelError};

/// BERT with a span head (Devlin et al. 2019, 4.2). It has no pooler.
#[derive(Module, Debug)]
pub struct BertForQuestionAnswering {
    /// The encoder.
    pub bert: BertModel,
    qa_outputs: Linear,
}

/// Scores of each token as an answer's first and last, `[batch, seq, 2]`.
#[derive(Debug, Clone)]
pub struct SpanLogits(pub Tensor<3>);

impl TaskModel for BertForQuestionAnswering {
    type Encoder = BertModel;
    const ARCHITECTURE: &'static str = "BertForQuestionAnswering";
    const HEAD: &'static str = "qa_outputs.";
    const POOLED: bool = false;

    fn outputs(_: &BertConfig) -> usize {
        2
    }

    fn build(config: &BertConfig, source: &mut ParameterSource<'_>) -> Result<Self, ModelError> {
        Ok(Self {
            bert: source.at("bert", |source| BertModel::build(config, false, source))?,
            qa_outputs: source.linear("qa_outputs", config.hidden_size, 2)?,
        })
    }

    fn encoder(&self) -> &BertModel {
        &self.bert
    }
}

impl BertForQuestionAnswering {
    /// The scores; padding has some too, which callers leave aside.
    pub fn forward(&self, input: &BertInput, pass: Pass) -> SpanLogits {
        self.head(self.bert.encode(input, pass))
    }

    /// The scores by the encoder's output.
    ///
    /// # Shapes
    /// - `last_hidden_state`: `[batch, seq, hidden]`
    pub fn head(&self, last_hidden_state: Tensor<3>) -> SpanLogits {
        SpanLogits(self.qa_outputs.forward(last_hidden_state, OF_HEADS))
    }
}
