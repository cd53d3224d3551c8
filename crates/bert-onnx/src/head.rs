//! The heads that a file may have.

use bert_model::BertConfig;
use bert_model::heads::{
    BertForMultipleChoice, BertForQuestionAnswering, BertForSequenceClassification, TaskModel,
};

/// What a model's outputs are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// Start and end scores of each token.
    Spans,
    /// A score for each class, or one number.
    Classes,
    /// A score for each of several endings.
    Choices,
}

impl Head {
    const ALL: [Self; 3] = [Self::Spans, Self::Classes, Self::Choices];

    /// The head that a checkpoint's configuration names.
    pub fn of(config: &BertConfig) -> Option<Self> {
        let named = |head: &Self| {
            config
                .architectures()
                .any(|name| name == head.architecture())
        };
        Self::ALL.into_iter().find(named)
    }

    pub(crate) fn architecture(self) -> &'static str {
        match self {
            Self::Spans => BertForQuestionAnswering::ARCHITECTURE,
            Self::Classes => BertForSequenceClassification::ARCHITECTURE,
            Self::Choices => BertForMultipleChoice::ARCHITECTURE,
        }
    }
}

/// A model with its head.
pub(crate) enum Model {
    Spans(BertForQuestionAnswering),
    Classes(BertForSequenceClassification),
    Choices(BertForMultipleChoice),
}
