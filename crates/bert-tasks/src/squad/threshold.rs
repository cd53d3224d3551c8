//! The threshold for "no answer" that a training finds on its development set, and leaves beside the model.

use std::collections::HashMap;
use std::path::Path;

use bert_datasets::squad::SquadDataset;
use bert_files::{Replacement, read_if_present};
use bert_metrics::squad::{SquadThresholds, SquadV2Scores, best_thresholds, evaluate_v2_with_odds};
use bert_prediction::squad::SquadAnswerPrediction;
use bert_records::write_json;
use serde::{Deserialize, Serialize};

use super::results::gold;
use crate::TaskError;

/// The file in a model's folder.
pub(super) const FILE: &str = "null_threshold.json";

/// The most bytes of the file that are read.
const LIMIT: u64 = 1 << 16;

/// What the file holds.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// Above which a question counts as unanswered.
    null_score_diff_threshold: f64,
    /// The F1 that it gives on the questions that it was found on, in percent.
    #[serde(default)]
    best_f1: f64,
    /// How many these were.
    #[serde(default)]
    questions: usize,
}

/// The threshold that a model's training has found; `None` where it has found none.
///
/// # Errors
/// When its file cannot be read.
pub fn trained_threshold(dir: &Path) -> Result<Option<f32>, TaskError> {
    let path = dir.join(FILE);
    let Some(bytes) = read_if_present(&path, LIMIT)? else {
        return Ok(None);
    };
    match serde_json::from_slice::<Kept>(&bytes) {
        Ok(kept) => Ok(Some(kept.null_score_diff_threshold as f32)),
        Err(error) => Err(TaskError::Files {
            found: format!("{error}"),
            expected: "null_score_diff_threshold, a number".to_owned(),
            path,
        }),
    }
}

/// Scores of SQuAD 2.0, and the best thresholds on the odds of "no answer", under the official keys.
#[derive(Debug, Clone, Serialize)]
pub struct WithThresholds {
    #[serde(flatten)]
    scores: SquadV2Scores,
    #[serde(flatten)]
    thresholds: SquadThresholds,
}

/// Scores predictions with the odds of "no answer" by question id, as the official script does: those above `threshold`
/// are scored as "no answer".
pub fn score_with_odds<'a>(
    dataset: &'a SquadDataset,
    prediction: impl Fn(&str) -> Option<&'a str>,
    odds: &[(String, f64)],
    threshold: f64,
) -> WithThresholds {
    let (scores, thresholds) = evaluate_v2_with_odds(gold(dataset), prediction, odds, threshold);
    WithThresholds { scores, thresholds }
}

/// Finds the threshold with the best F1 on questions with answers, and answers anew by it; `None` where the file labels
/// no question, or no answer has odds.
pub(super) fn decide(
    dataset: &SquadDataset,
    answers: &mut [SquadAnswerPrediction],
) -> Option<SquadThresholds> {
    let gold = gold(dataset);
    let odds: Vec<(String, f64)> = answers
        .iter()
        .filter_map(|answer| Some((answer.id.clone(), answer.score_diff?)))
        .collect();
    if gold.is_empty() || odds.is_empty() {
        return None;
    }
    // A threshold chooses between the best span and no answer, whichever was chosen before.
    let spans: HashMap<&str, &str> = answers
        .iter()
        .map(|answer| (answer.id.as_str(), answer.best_span().text.as_str()))
        .collect();
    let mut best = best_thresholds(&gold, |id| spans.get(id).copied(), &odds);
    let unanswerable = gold.iter().filter(|it| it.answers.is_empty()).count();
    let of_nothing = 100.0 * unanswerable as f64 / gold.len() as f64;
    let least = odds
        .iter()
        .map(|(_, odds)| *odds)
        .fold(f64::INFINITY, f64::min);
    // Where answering nothing is best the script says 0, and odds may lie below that.
    let threshold = if best.best_f1 <= of_nothing {
        below(least)
    } else {
        at_least(best.best_f1_thresh)
    };
    // As it is kept, so that a prediction decides as the training did.
    best.best_f1_thresh = f64::from(threshold);
    for answer in answers {
        answer.decide(best.best_f1_thresh);
    }
    Some(best)
}

/// The smallest number in 32 bits that is not below another: whose odds are that number is still answered.
fn at_least(odds: f64) -> f32 {
    let near = odds as f32;
    if f64::from(near) < odds {
        near.next_up()
    } else {
        near
    }
}

/// The largest number in 32 bits that is below another: whose odds are that number is not answered.
fn below(odds: f64) -> f32 {
    let near = odds as f32;
    if f64::from(near) < odds {
        near
    } else {
        near.next_down()
    }
}

/// Adds the threshold to a model's files.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn write(
    files: &mut Replacement,
    best: &SquadThresholds,
    questions: usize,
) -> Result<(), TaskError> {
    let kept = Kept {
        null_score_diff_threshold: best.best_f1_thresh,
        best_f1: best.best_f1,
        questions,
    };
    Ok(write_json(files, FILE, &kept)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_that_is_kept_in_32_bits_lies_on_the_side_that_is_meant() {
        for odds in [0.1, -0.1, 1.0 / 3.0, -1.0 / 3.0, 0.0, 2.5, -2.5] {
            let kept = f64::from(at_least(odds));
            assert!(kept >= odds && kept - odds < 1e-6, "{odds} {kept}");
            let under = f64::from(below(odds));
            assert!(under < odds && odds - under < 1e-6, "{odds} {under}");
        }
        assert_eq!(at_least(2.5), 2.5);
    }
}
