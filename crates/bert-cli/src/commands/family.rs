//! What a training command must know of a family of tasks, and what its runs come to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bert_model::checkpoint::HeadPolicy;
use bert_model::heads::TaskModel;
use bert_model::{BertConfig, Precision};
use bert_tokenization::BertTokenizer;
use bert_training::batches::Padding;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::warn;

use super::scores::{Evaluation, ScoreTable};

/// What an evaluation is for.
#[derive(Clone, Copy)]
pub(crate) enum Purpose<'a> {
    /// To compare models on the development set; nothing is written.
    Comparison,
    /// To leave predictions in a folder, of every file, and score those that have labels.
    Results(&'a Path),
}

/// How a model is run over examples.
#[derive(Clone, Copy)]
pub(crate) struct Scoring<'a> {
    /// The model's, without autodiff.
    pub(crate) device: &'a Device,
    /// How wide batches are made.
    pub(crate) padding: Padding,
    /// The arithmetic of products.
    pub(crate) precision: Precision,
    /// Batches that are computed at once.
    pub(crate) concurrent: usize,
}

/// A family's inputs, all read and checked, and what it does with a model.
pub(crate) trait Family {
    /// The model that is fine-tuned.
    type Model: TaskModel;
    /// What tells the training loop about the examples.
    type Task<'a>: bert_training::Task<Model = Self::Model>
    where
        Self: 'a;

    /// What an example is called, in the plural.
    const EXAMPLES: &'static str;
    /// The files that predicting writes besides scores. A new training removes what an earlier one left, so
    /// that no file of the folder speaks of another model.
    fn predictions() -> Vec<&'static str>;
    /// What the task is called in a report.
    fn task_name(&self) -> String;
    /// The model's configuration, with the labels of this run.
    fn config(&self) -> &BertConfig;
    /// The checkpoint's tokenizer.
    fn tokenizer(&self) -> &BertTokenizer;
    /// What becomes of the checkpoint's head when it is trained further.
    fn head_policy(&self, seed: u64) -> HeadPolicy {
        HeadPolicy::FreshIfMissing { seed }
    }
    /// The training examples; `None` where the run predicts only.
    fn task(&self) -> Option<Self::Task<'_>>;
    /// The data files, for the record.
    fn data_files(&self) -> Vec<PathBuf>;
    /// How much there is of everything, for the plan.
    fn counts(&self) -> Value;
    /// Whether there is a development set with labels.
    fn compares(&self) -> bool;
    /// What of the data is not used, or not whole, and why, a line each.
    fn left_out(&self) -> Vec<String>;
    /// Predicts and scores.
    ///
    /// # Errors
    /// When the device fails or a file cannot be written.
    fn evaluate(
        &self,
        model: &Self::Model,
        scoring: &Scoring<'_>,
        purpose: Purpose<'_>,
    ) -> anyhow::Result<Option<Evaluation>>;
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RunOutcome {
    /// The seed it was trained with.
    pub(crate) seed: u64,
    /// The scores, in the order in which they were made.
    pub(crate) table: ScoreTable,
    /// What `eval_results.json` holds.
    pub(crate) results: BTreeMap<String, Value>,
    /// Why the run has learnt nothing, where it has not.
    pub(crate) degenerate: Option<String>,
}

impl RunOutcome {
    /// A run that has come to nothing yet.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            table: ScoreTable::default(),
            results: BTreeMap::new(),
            degenerate: None,
        }
    }

    /// Adds the scores of the final model under a name.
    pub(crate) fn add_final(&mut self, name: &str, evaluation: Evaluation) {
        self.table.push(name, &evaluation);
        if let Some(reason) = &evaluation.degenerate {
            warn!("nothing learnt shows in the scores: {reason}");
        }
        self.degenerate = evaluation.degenerate;
        self.results.extend(evaluation.by_key);
    }
}
