//! Task heads on top of [`crate::BertModel`], one file a head.

mod question_answering;

use burn::module::Module;

use crate::init::ParameterSource;
use crate::{BertConfig, ModelError};

pub use question_answering::{BertForQuestionAnswering, SpanLogits, span_loss};

/// A BERT with a head, as checkpoints and the training loop see it.
pub trait TaskModel: Module {
    /// Its name in `architectures` of `config.json`.
    const ARCHITECTURE: &'static str;
    /// What the names of the head's tensors begin with.
    const HEAD: &'static str;

    /// Takes every parameter from `source`.
    ///
    /// # Errors
    /// When a tensor of the source has another shape or is damaged.
    fn build(config: &BertConfig, source: &mut ParameterSource<'_>) -> Result<Self, ModelError>;
}
