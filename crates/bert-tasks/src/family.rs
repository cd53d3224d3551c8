//! What a training command must know of a family of tasks.

use std::path::PathBuf;

use bert_features::batch::Padding;
use bert_files::Replacement;
use bert_inference::InferenceConfig;
use bert_model::checkpoint::HeadPolicy;
use bert_model::heads::TaskModel;
use bert_model::{BertConfig, Precision};
use bert_records::InputFile;
use bert_tokenization::BertTokenizer;
use bert_training::collective::Collective;
use burn::tensor::Device;
use serde_json::Value;

use crate::{Evaluation, TaskError, Watch};

/// What an evaluation is for.
pub enum Purpose<'a> {
    /// To compare models on the development set. Nothing is written.
    Comparison,
    /// To add the predictions of every file to these files, and score those that have labels. The caller commits them,
    /// with the scores: predictions and scores of one model take the place of another's together. `None` in a process that
    /// computes for the one that writes.
    Results(Option<&'a mut Replacement>),
}

/// How a model is run over examples.
#[derive(Clone, Copy)]
pub struct Scoring<'a> {
    /// The model's device, without autodiff.
    pub device: &'a Device,
    /// How wide batches are.
    pub padding: Padding,
    /// The arithmetic of matrix products.
    pub precision: Precision,
    /// Batches that are computed at once.
    pub concurrent: usize,
    /// The most bytes that one tensor may have on the device; `None` where only memory limits it.
    pub largest_buffer: Option<u64>,
    /// The processes that share the work. Each calls [`Family::evaluate`], for the same purpose, and has the result.
    pub collective: &'a dyn Collective,
    /// Who follows the progress.
    pub watch: &'a dyn Watch,
}

impl Scoring<'_> {
    /// How the model is run over batches of `batch_size` examples.
    pub(crate) fn config(&self, batch_size: usize) -> InferenceConfig {
        InferenceConfig {
            batch_size,
            padding: self.padding,
            precision: self.precision,
            concurrent: self.concurrent,
            largest_buffer: self.largest_buffer,
        }
    }
}

/// A family's inputs, all read and checked, and what it does with a model.
pub trait Family {
    /// The model that is fine-tuned.
    type Model: TaskModel;
    /// What tells the training loop about the examples.
    type Task<'a>: bert_training::Task<Model = Self::Model>
    where
        Self: 'a;

    /// What a training example is called, in the plural.
    const EXAMPLES: &'static str;
    /// The setting that is the size of an evaluation batch.
    const EVALUATION_BATCH: &'static str;

    /// The files that an evaluation for results may write. A new training removes those of an earlier one, so that
    /// every file of the folder belongs to one model.
    fn predictions() -> Vec<&'static str>;

    /// Those of [`predictions`](Self::predictions) that a new prediction of this task removes where it does not write
    /// them.
    fn replaced_predictions(&self) -> Vec<&'static str> {
        Self::predictions()
    }

    /// The name of the task in a report.
    fn task_name(&self) -> String;

    /// The model's configuration, with the labels of this run.
    fn config(&self) -> &BertConfig;

    /// The checkpoint's tokenizer.
    fn tokenizer(&self) -> &BertTokenizer;

    /// What becomes of the checkpoint's head when it is trained further.
    fn head_policy(&self, seed: u64) -> HeadPolicy {
        HeadPolicy::FreshIfMissing { seed }
    }

    /// The training examples; `None` where there is nothing to train on.
    fn task(&self) -> Option<Self::Task<'_>>;

    /// The data files.
    fn data_files(&self) -> Vec<PathBuf>;

    /// The data, with checksums of their content.
    ///
    /// # Errors
    /// When a file cannot be read.
    fn inputs(&self) -> Result<Vec<InputFile>, TaskError> {
        read_inputs(self.data_files())
    }

    /// The number of examples of each file, as JSON.
    fn counts(&self) -> Value;

    /// Whether there is a development set with labels.
    fn compares(&self) -> bool;

    /// What of the data is not used or is cut, and why, a line each.
    fn left_out(&self) -> Vec<String>;

    /// Examples of an evaluation batch.
    fn evaluation_batch(&self) -> usize;

    /// Predicts and scores; `None` where no file has labels.
    ///
    /// # Errors
    /// When the device fails, a logit is not finite, the watch ends the work, or a file cannot be written.
    fn evaluate(
        &self,
        model: &Self::Model,
        scoring: &Scoring<'_>,
        purpose: Purpose<'_>,
    ) -> Result<Option<Evaluation>, TaskError>;
}

pub(crate) fn read_inputs(files: Vec<PathBuf>) -> Result<Vec<InputFile>, TaskError> {
    let inputs = files.iter().map(|path| InputFile::read(path));
    Ok(inputs.collect::<Result<_, _>>()?)
}
