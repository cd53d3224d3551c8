//! The best threshold on the odds of "no answer", as the official v2.0 script finds it.

use serde::Serialize;

use super::v2::{evaluate, score};
use super::{GoldQuestion, SquadV2Scores, percentage};

/// The best scores that a threshold on the odds gives, and the thresholds: a question whose odds are above one counts as
/// unanswered. Serialises with the script's keys in its order.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SquadThresholds {
    /// Exact match, in percent.
    pub best_exact: f64,
    /// The threshold that gives it.
    pub best_exact_thresh: f64,
    /// F1, in percent.
    pub best_f1: f64,
    /// The threshold that gives it.
    pub best_f1_thresh: f64,
}

/// What a threshold can change about a question.
#[derive(Debug, Clone, Copy)]
struct Thresholded {
    odds: f64,
    exact: f64,
    f1: f64,
    is_answerable: bool,
    is_answered: bool,
}

/// Scores predictions as [`evaluate_v2`](super::evaluate_v2), with the odds of "no answer" by question id: a prediction whose odds are above
/// `threshold` is right where the question has no answer, and wrong where it has one. The best thresholds are found on the predictions as they are.
///
/// Odds of other questions are ignored, and so is a question without odds where thresholds are compared. Of equal odds
/// the first in `odds` comes first.
pub fn evaluate_v2_with_odds<'a>(
    gold: impl IntoIterator<Item = GoldQuestion<'a>>,
    prediction: impl Fn(&str) -> Option<&'a str>,
    odds: &[(String, f64)],
    threshold: f64,
) -> (SquadV2Scores, SquadThresholds) {
    let gold: Vec<GoldQuestion<'a>> = gold.into_iter().collect();
    let above: std::collections::HashSet<&str> = odds
        .iter()
        .filter(|(_, odds)| *odds > threshold)
        .map(|(id, _)| id.as_str())
        .collect();
    let scores = evaluate(gold.iter().cloned(), |question| {
        let text = prediction(question.id)?;
        Some(if above.contains(question.id) {
            let right = f64::from(question.answers.is_empty());
            (right, right)
        } else {
            score(text, &question.answers)
        })
    });
    (scores, best_thresholds(&gold, prediction, odds))
}

/// The best thresholds on the odds of "no answer", by question id.
pub fn best_thresholds<'a>(
    gold: &[GoldQuestion<'a>],
    prediction: impl Fn(&str) -> Option<&'a str>,
    odds: &[(String, f64)],
) -> SquadThresholds {
    let by_id: std::collections::HashMap<&str, &GoldQuestion<'a>> = gold
        .iter()
        .map(|question| (question.id, question))
        .collect();
    let mut questions: Vec<Thresholded> = odds
        .iter()
        .filter_map(|(id, odds)| {
            let question = by_id.get(id.as_str())?;
            let text = prediction(id);
            let (exact, f1) = text.map_or((0.0, 0.0), |text| score(text, &question.answers));
            Some(Thresholded {
                odds: *odds,
                exact,
                f1,
                is_answerable: !question.answers.is_empty(),
                is_answered: text.is_some_and(|text| !text.is_empty()),
            })
        })
        .collect();
    // Stable, as Python's.
    questions.sort_by(|a, b| a.odds.total_cmp(&b.odds));
    let unanswerable = gold.iter().filter(|it| it.answers.is_empty()).count();
    let best = |score: fn(&Thresholded) -> f64| best(&questions, unanswerable, score);
    let (exact, best_exact_thresh) = best(|question| question.exact);
    let (f1, best_f1_thresh) = best(|question| question.f1);
    SquadThresholds {
        best_exact: percentage(exact, gold.len()),
        best_exact_thresh,
        best_f1: percentage(f1, gold.len()),
        best_f1_thresh,
    }
}

/// `find_best_thresh`: the sum of scores begins with that of answering nothing, and each question that is answered, by
/// rising odds, changes it.
fn best(
    questions: &[Thresholded],
    unanswerable: usize,
    score: fn(&Thresholded) -> f64,
) -> (f64, f64) {
    let mut sum = unanswerable as f64;
    let mut best = (sum, 0.0);
    for question in questions {
        sum += match (question.is_answerable, question.is_answered) {
            (true, _) => score(question),
            (false, true) => -1.0,
            (false, false) => 0.0,
        };
        if sum > best.0 {
            best = (sum, question.odds);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gold(answers: [&[&'static str]; 3]) -> Vec<GoldQuestion<'static>> {
        let named = ["a", "b", "c"].into_iter().zip(answers);
        named
            .map(|(id, answers)| GoldQuestion {
                id,
                answers: answers.to_vec(),
            })
            .collect()
    }

    fn odds(values: [f64; 3]) -> Vec<(String, f64)> {
        let named = ["a", "b", "c"].into_iter().zip(values);
        named.map(|(id, odds)| (id.to_owned(), odds)).collect()
    }

    #[test]
    fn a_threshold_lies_where_answering_stops_to_pay() {
        // Two right answers, of odds -3 and 2, and a question without an answer between them.
        let gold = gold([&["x"], &[], &["y"]]);
        let text = |id: &str| Some(if id == "a" { "x" } else { "y" });
        let found = best_thresholds(&gold, text, &odds([-3.0, 1.0, 2.0]));
        assert_eq!(
            (found.best_f1_thresh, found.best_f1),
            (-3.0, 100.0 * 2.0 / 3.0)
        );
        // Where the question without an answer comes last, all that can be right is.
        let found = best_thresholds(&gold, text, &odds([-3.0, 2.5, 2.0]));
        assert_eq!((found.best_exact_thresh, found.best_exact), (2.0, 100.0));
    }

    #[test]
    fn answering_nothing_is_the_best_of_wrong_answers() {
        let gold = gold([&["x"], &[], &[]]);
        let found = best_thresholds(&gold, |_| Some("z"), &odds([-3.0, -2.0, -1.0]));
        assert_eq!(
            (found.best_f1_thresh, found.best_f1),
            (0.0, 100.0 * 2.0 / 3.0)
        );
    }

    #[test]
    fn odds_above_the_threshold_are_scored_as_no_answer() {
        let gold = gold([&["x"], &[], &["y"]]);
        let (scores, _) = evaluate_v2_with_odds(gold, |_| Some("x"), &odds([0.0, 2.0, 2.0]), 1.0);
        assert_eq!(scores.exact, 100.0 * 2.0 / 3.0);
    }
}
