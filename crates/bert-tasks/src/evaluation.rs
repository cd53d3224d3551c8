//! What predicting came to.

use std::collections::BTreeMap;

use bert_report::TaskReport;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The scores of a model on a task's files.
#[derive(Debug, Clone, Default)]
pub struct Evaluation {
    /// The entries of `eval_results.json`.
    pub by_key: BTreeMap<String, Value>,
    /// The task's official scores.
    pub headline: Vec<Score>,
    /// The score by which models are compared, more being better; `None` where it is not defined.
    pub score: Option<f64>,
    /// Why the scores show that the model has learnt nothing, where they do.
    pub degenerate: Option<String>,
    /// What a report shows of single examples. Only an evaluation for results has it.
    pub report: Option<TaskReport>,
}

impl Evaluation {
    /// The mean of the official scores, by which GLUE compares models; `None` where one is not defined.
    pub(crate) fn mean_headline(&self) -> Option<f64> {
        let scores: Option<Vec<f64>> = self.headline.iter().map(|score| score.percent).collect();
        let scores = scores.filter(|scores| !scores.is_empty())?;
        Some(scores.iter().sum::<f64>() / scores.len() as f64)
    }
}

/// One official score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Its name in a table.
    pub name: String,
    /// Its value in percent; `None` where it is not defined.
    pub percent: Option<f64>,
}

impl Score {
    /// The score as a table shows it, with two decimals.
    pub fn cell(&self) -> String {
        percent_cell(self.percent)
    }
}

/// A percentage as a table shows it, with two decimals.
pub fn percent_cell(percent: Option<f64>) -> String {
    percent.map_or_else(|| "undefined".to_owned(), |percent| format!("{percent:.2}"))
}
