//! Choices: one score for each ending, each ending a row of its own.

use std::ops::RangeInclusive;

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
    type Encoder = BertModel;
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

    fn encoder(&self) -> &BertModel {
        &self.bert
    }
}

impl ExampleModel for BertForMultipleChoice {
    /// As many as the letters that choices are numbered with.
    const ROWS_PER_EXAMPLE: RangeInclusive<usize> = 2..=26;

    fn head(&self, last_hidden_state: Tensor<3>, rows_per_example: usize, pass: Pass) -> Tensor<2> {
        assert!(Self::ROWS_PER_EXAMPLE.contains(&rows_per_example));
        let classifier = Classifier {
            bert: &self.bert,
            layer: &self.classifier,
            dropout: self.dropout,
        };
        let scores = classifier.forward(last_hidden_state, pass); // [rows, 1]
        let [rows, _] = scores.dims();
        // [rows, 1] → [examples, choices]
        scores.reshape([rows / rows_per_example, rows_per_example])
    }
}
