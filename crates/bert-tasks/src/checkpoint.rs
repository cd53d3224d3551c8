//! A checkpoint's configuration and tokenizer, checked against each other.

use std::path::Path;

use bert_model::checkpoint::{HeadPolicy, LoadReport, load_as};
use bert_model::heads::TaskModel;
use bert_model::{BertConfig, BertModel, Encoder};
use bert_tokenization::BertTokenizer;
use tracing::info;

use crate::split::Split;
use crate::{Scoring, TaskError};

/// Reads a checkpoint's tokenizer. `do_lower_case` says that it is uncased, which must be true.
///
/// # Errors
/// When the tokenizer's files are bad or the flag contradicts them.
pub fn read_tokenizer(dir: &Path, do_lower_case: bool) -> Result<BertTokenizer, TaskError> {
    // The flag can only say "uncased"; its absence says nothing.
    Ok(BertTokenizer::from_dir(dir, do_lower_case.then_some(true))?)
}

/// The checkpoint that a command starts from, and how much of the data it uses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Source<'a> {
    /// The checkpoint's folder.
    pub bert_model: &'a Path,
    /// Says that the checkpoint is uncased, which must be true; `false` says nothing.
    pub do_lower_case: bool,
    /// Examples of the training file that are used, from its beginning; `None`: all.
    pub max_train_examples: Option<usize>,
    /// Examples of each file to score that are used, from its beginning; `None`: all.
    pub max_eval_examples: Option<usize>,
    /// Examples of each file to predict alone that are used, from its beginning; `None`: all.
    pub max_predict_examples: Option<usize>,
    /// The share of the training file that is held out as development set; `None`: nothing.
    pub validation_split: Option<f64>,
    /// Seed of what is held out.
    pub seed: u64,
}

impl<'a> Source<'a> {
    /// A checkpoint, and all of the data.
    pub fn new(bert_model: &'a Path, do_lower_case: bool) -> Self {
        Self {
            bert_model,
            do_lower_case,
            max_train_examples: None,
            max_eval_examples: None,
            max_predict_examples: None,
            validation_split: None,
            seed: 0,
        }
    }

    /// Examples of a file that are used; `is_test`: it is predicted alone.
    pub(crate) fn most(&self, is_test: bool) -> Option<usize> {
        if is_test {
            self.max_predict_examples
        } else {
            self.max_eval_examples
        }
    }

    /// What is held out of the training file.
    ///
    /// # Errors
    /// When there is a development file too, or nothing to train on.
    pub(crate) fn split(&self, trains: bool, has_dev: bool) -> Result<Option<Split>, TaskError> {
        let Some(share) = self.validation_split else {
            return Ok(None);
        };
        let found = match (trains, has_dev) {
            (true, false) => {
                let seed = self.seed;
                return Ok(Some(Split { share, seed }));
            }
            (true, true) => "a development file beside it",
            (false, _) => "no training file",
        };
        Err(TaskError::Setting {
            setting: "validation_split",
            found: found.to_owned(),
            expected: "a training file and no development file".to_owned(),
        })
    }

    /// [`read_checkpoint`]
    ///
    /// # Errors
    /// Those of [`read_checkpoint`].
    pub(crate) fn read(
        &self,
        max_seq_length: usize,
    ) -> Result<(BertConfig, BertTokenizer), TaskError> {
        read_checkpoint(self.bert_model, self.do_lower_case, max_seq_length)
    }
}

/// Reads a checkpoint's configuration and tokenizer, and checks that the model can take what the tokenizer
/// and the settings give it.
///
/// # Errors
/// When a file is bad, or the vocabulary or the sequences are larger than the model's tables.
pub fn read_checkpoint(
    dir: &Path,
    do_lower_case: bool,
    max_seq_length: usize,
) -> Result<(BertConfig, BertTokenizer), TaskError> {
    let model = BertConfig::read(&dir.join("config.json"))?;
    let tokenizer = read_tokenizer(dir, do_lower_case)?;
    let limits = BertModel::limits(&model);
    bert_inference::check_tokenizer(dir, limits, &tokenizer)?;
    if max_seq_length > limits.length {
        return Err(TaskError::Setting {
            setting: "max_seq_length",
            found: max_seq_length.to_string(),
            expected: format!(
                "at most config.json's max_position_embeddings {} ({})",
                limits.length,
                dir.display()
            ),
        });
    }
    Ok((model, tokenizer))
}

/// Loads a fine-tuned checkpoint, and logs the tensors that are not used.
///
/// # Errors
/// When the weights are bad, the head is untrained or another task's, or the device does not hold the model.
pub fn load_trained<M: TaskModel>(
    dir: &Path,
    config: &BertConfig,
    scoring: &Scoring<'_>,
) -> Result<M, TaskError> {
    bert_inference::check_table(config, scoring.largest_buffer)?;
    let policy = HeadPolicy::MustBeTrained;
    let loaded = load_as::<M>(dir, config.clone(), policy, scoring.device)?;
    log_unused_tensors(&loaded.report);
    Ok(loaded.model)
}

/// Logs the tensors of a file that the model does not have.
pub fn log_unused_tensors(report: &LoadReport) {
    if !report.unexpected.is_empty() {
        let path = report.path.display();
        info!("{path}: not used: {}", report.unexpected.join(", "));
    }
}
