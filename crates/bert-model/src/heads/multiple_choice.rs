//! Four-way choices: one score for each ending, each ending a row of its own.

use bert_kernels::Pass;
use burn::module::Module;
use burn::tensor::Tensor;

use super::classifier::{self, Classifier};
use super::{ExampleModel, TaskModel};
use crate::init::ParameterSource;
use crate::linear::Linear;
use crate::{BertConfig, BertModel, ModelError};

/// BERT with one output on the pooled vector; the choices of an example compete in a softmax (Devlin et al.
/// 2019, 4.4).
#[derive(Module, Debug)]
pub struct BertForMultipleChoice {
    /// The encoder, with its pooler.
    pub bert: BertModel,
    classifier: Linear,
    #[module(skip)]
    dropout: f64,
}

impl TaskModel for BertForMultipleChoice {
    const ARCHITECTURE: &'static str = "BertForMultipleChoice";
    const HEAD: &'static str = "classifier.";
    const POOLED: bool = true;

    fn outputs(_: &BertConfig) -> usize {
        1
    }

    fn build(config: &BertConfig, source: &mut ParameterSource<'_>) -> Result<Self, ModelError> {
        let (bert, classifier) = classifier::build(config, 1, source)?;
        Ok(Self {
            bert,
            classifier,
            dropout: config.classifier_dropout(),
        })
    }

    fn bert(&self) -> &BertModel {
        &self.bert
    }
}

impl ExampleModel for BertForMultipleChoice {
    const ROWS_PER_EXAMPLE: usize = 4;

    fn head(&self, last_hidden_state: Tensor<3>, pass: Pass) -> Tensor<2> {
        let classifier = Classifier {
            bert: &self.bert,
            layer: &self.classifier,
            dropout: self.dropout,
        };
        let scores = classifier.forward(last_hidden_state, pass); // [rows, 1]
        let [rows, _] = scores.dims();
        // [rows, 1] → [examples, choices]
        scores.reshape([rows / Self::ROWS_PER_EXAMPLE, Self::ROWS_PER_EXAMPLE])
    }
}
