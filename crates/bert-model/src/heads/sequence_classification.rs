//! Sentence and sentence-pair classification and regression: a score for each class, or one number.

use std::ops::RangeInclusive;

use bert_kernels::Pass;
use burn::module::Module;
use burn::tensor::Tensor;

use super::classifier::{self, Classifier};
use super::{ExampleModel, TaskModel};
use crate::init::ParameterSource;
use crate::linear::Linear;
use crate::{BertConfig, BertModel, ModelError};

/// BERT with a classifier on the pooled vector (Devlin et al. 2019, 4.1). The configuration's label list says
/// how many outputs it has.
#[derive(Module, Debug)]
pub struct BertForSequenceClassification {
    /// The encoder, with its pooler.
    pub bert: BertModel,
    classifier: Linear,
    #[module(skip)]
    dropout: f64,
}

impl TaskModel for BertForSequenceClassification {
    type Encoder = BertModel;
    const ARCHITECTURE: &'static str = "BertForSequenceClassification";
    const HEAD: &'static str = "classifier.";
    const POOLED: bool = true;

    fn outputs(config: &BertConfig) -> usize {
        config.label_list().outputs()
    }

    fn build(config: &BertConfig, source: &mut ParameterSource<'_>) -> Result<Self, ModelError> {
        let (bert, classifier) = classifier::build(config, config.label_list().outputs(), source)?;
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

impl ExampleModel for BertForSequenceClassification {
    const ROWS_PER_EXAMPLE: RangeInclusive<usize> = 1..=1;

    fn head(&self, last_hidden_state: Tensor<3>, rows_per_example: usize, pass: Pass) -> Tensor<2> {
        assert!(Self::ROWS_PER_EXAMPLE.contains(&rows_per_example));
        let classifier = Classifier {
            bert: &self.bert,
            layer: &self.classifier,
            dropout: self.dropout,
        };
        classifier.forward(last_hidden_state, pass)
    }
}
