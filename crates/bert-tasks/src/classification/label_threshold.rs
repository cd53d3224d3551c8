//! The probability above which a text has a label: one half, or what a training finds on its development set and leaves
//! beside the model.

use std::path::Path;

use bert_files::{Replacement, read_if_present};
use bert_metrics::multi_label::best_threshold;
use bert_prediction::choice::ExamplePrediction;
use bert_records::write_json;
use serde::{Deserialize, Serialize};

use crate::TaskError;

/// The file in a model's folder.
pub(super) const FILE: &str = "label_threshold.json";
/// The most bytes of the file that are read.
const LIMIT: u64 = 1 << 16;
/// The threshold of a model that has no file.
const HALF: f64 = 0.5;

/// How it is decided which labels a text has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LabelThreshold {
    /// A text has the labels whose probability is above it.
    pub at: f64,
    /// Whether an evaluation finds it on the development set instead.
    pub find: bool,
}

impl Default for LabelThreshold {
    fn default() -> Self {
        let find = false;
        Self { at: HALF, find }
    }
}

/// What the file holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    /// Above which a text has a label.
    pub(super) label_threshold: f64,
    /// The micro F1 that it gives on the examples that it was found on.
    best_micro_f1: f64,
    /// How many these were.
    examples: usize,
}

/// The threshold that a model's training has found; one half where it has found none.
///
/// # Errors
/// When its file cannot be read, or holds no threshold.
pub fn trained_label_threshold(dir: &Path) -> Result<f64, TaskError> {
    let path = dir.join(FILE);
    let Some(bytes) = read_if_present(&path, LIMIT)? else {
        return Ok(HALF);
    };
    let bad = |found: String| TaskError::Files {
        path: path.clone(),
        found,
        expected: "label_threshold, a number from 0 to 1".to_owned(),
    };
    let kept: Kept = serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()))?;
    match kept.label_threshold {
        threshold if (0.0..=1.0).contains(&threshold) => Ok(threshold),
        threshold => Err(bad(threshold.to_string())),
    }
}

/// The threshold with the best micro F1 on examples with labels.
pub(super) fn decide(gold: &[Vec<bool>], answers: &[ExamplePrediction]) -> Kept {
    let probabilities: Vec<Vec<f64>> = answers
        .iter()
        .filter_map(|answer| match answer {
            ExamplePrediction::Labels(labels) => Some(labels.probabilities.clone()),
            _ => None,
        })
        .collect();
    let (label_threshold, best_micro_f1) = best_threshold(gold, &probabilities);
    Kept {
        label_threshold,
        best_micro_f1,
        examples: gold.len(),
    }
}

/// Which labels each example is given.
pub(super) fn given(answers: &[ExamplePrediction], threshold: f64) -> Vec<Vec<bool>> {
    let rows = answers.iter().filter_map(|answer| match answer {
        ExamplePrediction::Labels(labels) => {
            let each = labels.probabilities.iter();
            Some(each.map(|probability| *probability > threshold).collect())
        }
        _ => None,
    });
    rows.collect()
}

/// Adds the threshold to a model's files.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn write(files: &mut Replacement, kept: &Kept) -> Result<(), TaskError> {
    Ok(write_json(files, FILE, kept)?)
}
