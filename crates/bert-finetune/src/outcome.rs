//! What a run came to.

use std::collections::BTreeMap;

use bert_tasks::{Evaluation, Score};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::warn;

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunOutcome {
    /// The seed it was trained with.
    pub seed: u64,
    /// The scores, in the order in which they were made.
    pub table: ScoreTable,
    /// What `eval_results.json` holds.
    pub results: BTreeMap<String, Value>,
    /// Why the run has learnt nothing, where it has not.
    pub degenerate: Option<String>,
}

impl RunOutcome {
    /// A run that has come to nothing yet.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            table: ScoreTable::default(),
            results: BTreeMap::new(),
            degenerate: None,
        }
    }

    /// Adds the scores of the final model under a name.
    pub fn add_final(&mut self, name: &str, evaluation: Evaluation) {
        self.table.push(name, &evaluation);
        if let Some(reason) = &evaluation.degenerate {
            warn!("the scores show that the model has learnt nothing: {reason}");
        }
        self.degenerate = evaluation.degenerate;
        self.results.extend(evaluation.by_key);
    }
}

/// Scores side by side: a row for each model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ScoreTable {
    rows: Vec<(String, Vec<Score>)>,
}

impl ScoreTable {
    /// Adds a model's scores.
    pub fn push(&mut self, name: impl Into<String>, evaluation: &Evaluation) {
        self.rows.push((name.into(), evaluation.headline.clone()));
    }

    /// The last model's scores.
    pub fn last(&self) -> &[Score] {
        self.rows.last().map_or(&[], |(_, scores)| scores)
    }

    /// The models' names and scores, in the order in which they were added.
    pub fn rows(&self) -> &[(String, Vec<Score>)] {
        &self.rows
    }
}
