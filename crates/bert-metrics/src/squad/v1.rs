//! The v1.1 evaluation: exact match and F1, each the best over a question's gold answers.

use serde::Serialize;

use super::{GoldQuestion, answer::NormalizedAnswer, percentage};

/// The scores of the official v1.1 script; serialises as `{"exact_match": …, "f1": …}`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SquadV1Scores {
    /// Percentage of questions whose prediction equals a gold answer once both are normalised.
    pub exact_match: f64,
    /// Mean over the questions of the best token F1, in percent.
    pub f1: f64,
    /// Number of questions scored.
    #[serde(skip)]
    pub total: usize,
    /// Ids of the questions without a prediction, in file order; each scored 0.
    #[serde(skip)]
    pub missing: Vec<String>,
}

/// Scores predictions against a v1.1 file's questions, taken in file order.
///
/// A question without a prediction scores 0 and is listed in [`SquadV1Scores::missing`]. A question without gold
/// answers, which v1.1 does not have, scores 0. No questions at all give scores of 0.
pub fn evaluate_v1<'a>(
    gold: impl IntoIterator<Item = GoldQuestion<'a>>,
    prediction: impl Fn(&str) -> Option<&'a str>,
) -> SquadV1Scores {
    let mut total = 0;
    let mut missing = Vec::new();
    let mut exact_sum = 0.0;
    // The sums run in file order: another order would change the last digits.
    let mut f1_sum = 0.0;
    for question in gold {
        total += 1;
        let Some(text) = prediction(question.id) else {
            missing.push(question.id.to_owned());
            continue;
        };
        let predicted = NormalizedAnswer::new(text);
        let mut exact = 0.0;
        let mut best_f1 = 0.0_f64;
        for answer in question.answers {
            let answer = NormalizedAnswer::new(answer);
            if predicted == answer {
                exact = 1.0;
            }
            best_f1 = best_f1.max(predicted.f1(&answer));
        }
        exact_sum += exact;
        f1_sum += best_f1;
    }
    SquadV1Scores {
        exact_match: percentage(exact_sum, total),
        f1: percentage(f1_sum, total),
        total,
        missing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gold<'a>(id: &'a str, answers: &[&'a str]) -> GoldQuestion<'a> {
        GoldQuestion {
            id,
            answers: answers.to_vec(),
        }
    }

    #[test]
    fn takes_the_best_gold_answer_and_counts_unanswered_questions() {
        let questions = [
            gold("exact", &["Paris", "the city of Paris"]),
            gold("partial", &["red and blue", "green"]),
            gold("missing", &["x"]),
        ];
        let scores = evaluate_v1(questions, |id| match id {
            "exact" => Some("paris."),
            "partial" => Some("blue"),
            _ => None,
        });
        assert_eq!(scores.total, 3);
        assert_eq!(scores.missing, ["missing"]);
        assert_eq!(scores.exact_match, 100.0 * 1.0 / 3.0);
        assert_eq!(scores.f1, 100.0 * 1.5 / 3.0);
        let json = serde_json::to_string(&scores).expect("scores serialise");
        assert_eq!(json, r#"{"exact_match":33.333333333333336,"f1":50.0}"#);
    }

    #[test]
    fn empty_texts_match_exactly_but_have_no_f1() {
        let scores = evaluate_v1([gold("q", &["the"])], |_| Some("an"));
        assert_eq!((scores.exact_match, scores.f1), (100.0, 0.0));
    }

    #[test]
    fn no_questions_score_zero() {
        let scores = evaluate_v1([], |_| None);
        assert_eq!((scores.exact_match, scores.f1, scores.total), (0.0, 0.0, 0));
    }
}
