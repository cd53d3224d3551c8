//! Scores as a person reads them.

use std::collections::BTreeMap;
use std::io::{self, Write};

use bert_report::{TaskReport, to_python_json};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::family::RunOutcome;
use crate::terminal;

/// What predicting came to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Evaluation {
    /// What goes into `eval_results.json`, by its key.
    pub(crate) by_key: BTreeMap<String, Value>,
    /// The task's official scores, in percent; `None` where one is not defined.
    pub(crate) headline: Vec<Score>,
    /// By what models are compared, more is better; `None` where it is not defined.
    pub(crate) score: Option<f64>,
    /// Why the model has learnt nothing, where it has not.
    pub(crate) degenerate: Option<String>,
    /// What a report shows of the single examples, of results only.
    pub(crate) report: Option<TaskReport>,
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
pub(crate) struct Score {
    /// What it is called in a table.
    pub(crate) name: String,
    /// In percent.
    pub(crate) percent: Option<f64>,
}

/// Scores side by side: a row for each model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct ScoreTable {
    rows: Vec<(String, Vec<Score>)>,
}

impl ScoreTable {
    /// Adds a model's scores.
    pub(crate) fn push(&mut self, name: impl Into<String>, evaluation: &Evaluation) {
        self.rows.push((name.into(), evaluation.headline.clone()));
    }

    /// The last model's scores.
    pub(crate) fn last(&self) -> &[Score] {
        self.rows.last().map_or(&[], |(_, scores)| scores)
    }

    /// How many models there are.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Prints the table to stdout.
    ///
    /// # Errors
    /// When stdout is closed.
    pub(crate) fn print(&self) -> io::Result<()> {
        let Some((_, first)) = self.rows.first() else {
            return Ok(());
        };
        let mut out = io::stdout().lock();
        let cells = first.iter().map(|score| format!("{:>12}", score.name));
        writeln!(out, "{:<12}{}", "", cells.collect::<String>())?;
        for (name, scores) in &self.rows {
            let cells = scores
                .iter()
                .map(|score| format!("{:>12}", cell(score.percent)));
            writeln!(out, "{name:<12}{}", cells.collect::<String>())?;
        }
        Ok(())
    }
}

/// A score in a table.
pub(crate) fn cell(percent: Option<f64>) -> String {
    percent.map_or_else(|| "undefined".to_owned(), |percent| format!("{percent:.2}"))
}

/// Prints a line of JSON for each run: its seed, and its results by key.
///
/// # Errors
/// When stdout is closed or a value cannot be written.
pub(crate) fn print_json(outcomes: &[RunOutcome]) -> anyhow::Result<()> {
    for outcome in outcomes {
        let line = json!({"seed": outcome.seed, "results": outcome.results});
        terminal::line(&line.to_string())?;
    }
    Ok(())
}

/// Prints results as `eval_results.txt` has them, one `key = value` a line.
///
/// # Errors
/// When stdout is closed or a value cannot be written.
pub(crate) fn print_results(results: &BTreeMap<String, Value>) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    for (key, value) in results {
        writeln!(out, "{key} = {}", to_python_json(value)?)?;
    }
    Ok(())
}
