//! What a run came to.

use std::collections::BTreeMap;

use bert_tasks::{Evaluation, Score};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::warn;

use crate::FinetuneError;

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunOutcome {
    /// The seed it was trained with.
    pub seed: u64,
    /// The scores, in the order in which they were made.
    pub table: ScoreTable,
    /// What `eval_results.json` holds.
    pub results: BTreeMap<String, Value>,
    /// The score by which runs are compared, more being better; `None` where there is none.
    #[serde(default)]
    pub score: Option<f64>,
    /// Why the run has learnt nothing, where it has not.
    pub degenerate: Option<String>,
    /// The seed of the run in whose place this one counts, which had learnt nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<u64>,
}

impl RunOutcome {
    /// A run that has come to nothing yet.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            table: ScoreTable::default(),
            results: BTreeMap::new(),
            score: None,
            degenerate: None,
            retry_of: None,
        }
    }

    /// A run that ended in numbers that are none.
    pub(crate) fn diverged(seed: u64, error: &FinetuneError) -> Self {
        Self {
            degenerate: Some(error.to_string()),
            ..Self::new(seed)
        }
    }

    /// Adds the scores of the final model under a name.
    pub fn add_final(&mut self, name: &str, evaluation: Evaluation) {
        self.table.push(name, &evaluation);
        self.degenerate = evaluation.degenerate;
        self.score = evaluation.score;
        self.results.extend(evaluation.by_key);
    }

    /// Warns where the run has learnt nothing.
    pub(crate) fn warn_of_nothing_learnt(&self) {
        if let Some(reason) = &self.degenerate {
            warn!("the scores show that the model has learnt nothing: {reason}");
        }
    }
}

/// The runs that count: not those in whose place another one does.
pub fn standing(outcomes: &[RunOutcome]) -> Vec<&RunOutcome> {
    let is_retried = |seed| outcomes.iter().any(|other| other.retry_of == Some(seed));
    let outcomes = outcomes.iter();
    outcomes.filter(|own| !is_retried(own.seed)).collect()
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
