//! The v2.0 evaluation: v1.1's scores with unanswerable questions, overall and for each class of question.

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{GoldQuestion, answer::NormalizedAnswer, percentage};

/// The scores of one class of questions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SquadV2ClassScores {
    /// Percentage of questions answered exactly; for an unanswerable question the exact answer is the empty text.
    pub exact: f64,
    /// Mean of the best token F1, in percent.
    pub f1: f64,
    /// Number of questions.
    pub total: usize,
}

/// The scores of the official v2.0 script.
///
/// Serialises with the script's keys in its order: `exact`, `f1`, `total`, then the same with `HasAns_` and with
/// `NoAns_` in front, each only where the file has such questions.
#[derive(Debug, Clone, PartialEq)]
pub struct SquadV2Scores {
    /// Exact match over all questions, in percent.
    pub exact: f64,
    /// F1 over all questions, in percent.
    pub f1: f64,
    /// Number of questions.
    pub total: usize,
    /// Scores of the answerable questions, where there are any.
    pub has_ans: Option<SquadV2ClassScores>,
    /// Scores of the unanswerable questions, where there are any.
    pub no_ans: Option<SquadV2ClassScores>,
    /// Ids of the questions without a prediction, in file order; each scored 0.
    pub missing: Vec<String>,
}

impl Serialize for SquadV2Scores {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("exact", &self.exact)?;
        map.serialize_entry("f1", &self.f1)?;
        map.serialize_entry("total", &self.total)?;
        if let Some(scores) = self.has_ans {
            map.serialize_entry("HasAns_exact", &scores.exact)?;
            map.serialize_entry("HasAns_f1", &scores.f1)?;
            map.serialize_entry("HasAns_total", &scores.total)?;
        }
        if let Some(scores) = self.no_ans {
            map.serialize_entry("NoAns_exact", &scores.exact)?;
            map.serialize_entry("NoAns_f1", &scores.f1)?;
            map.serialize_entry("NoAns_total", &scores.total)?;
        }
        map.end()
    }
}

/// Scores predictions against a v2.0 file's questions, taken in file order; the empty text means "unanswerable".
///
/// A question without a prediction scores 0, counts in the totals and is listed in [`SquadV2Scores::missing`]; the
/// script gives up on such a file. No questions at all give scores of 0.
pub fn evaluate_v2<'a>(
    gold: impl IntoIterator<Item = GoldQuestion<'a>>,
    prediction: impl Fn(&str) -> Option<&'a str>,
) -> SquadV2Scores {
    evaluate(gold, |question| {
        Some(score(prediction(question.id)?, &question.answers))
    })
}

/// [`evaluate_v2`] with the exact match and F1 of each question; `None` where it has no prediction.
pub(super) fn evaluate<'a>(
    gold: impl IntoIterator<Item = GoldQuestion<'a>>,
    score: impl Fn(&GoldQuestion<'a>) -> Option<(f64, f64)>,
) -> SquadV2Scores {
    let mut overall = Sums::default();
    let mut has_ans = Sums::default();
    let mut no_ans = Sums::default();
    let mut missing = Vec::new();
    for question in gold {
        let (exact, f1) = score(&question).unwrap_or_else(|| {
            missing.push(question.id.to_owned());
            (0.0, 0.0)
        });
        overall.add(exact, f1);
        // The file's answers decide the class, before any of them is dropped for being empty once normalised.
        if question.answers.is_empty() {
            no_ans.add(exact, f1);
        } else {
            has_ans.add(exact, f1);
        }
    }
    let SquadV2ClassScores { exact, f1, total } = overall.scores();
    SquadV2Scores {
        exact,
        f1,
        total,
        has_ans: (has_ans.total > 0).then(|| has_ans.scores()),
        no_ans: (no_ans.total > 0).then(|| no_ans.scores()),
        missing,
    }
}

/// Running sums in file order. They are plain additions, as Python's `sum` was until 3.12 made it a compensated one.
#[derive(Default)]
struct Sums {
    exact: f64,
    f1: f64,
    total: usize,
}

impl Sums {
    fn add(&mut self, exact: f64, f1: f64) {
        self.exact += exact;
        self.f1 += f1;
        self.total += 1;
    }

    fn scores(&self) -> SquadV2ClassScores {
        SquadV2ClassScores {
            exact: percentage(self.exact, self.total),
            f1: percentage(self.f1, self.total),
            total: self.total,
        }
    }
}

/// Exact match and F1 of one prediction, each the best over the gold answers that are not empty once normalised;
/// where none is left, over the empty answer.
pub(super) fn score(prediction: &str, answers: &[&str]) -> (f64, f64) {
    let predicted = NormalizedAnswer::new(prediction);
    let mut gold: Vec<NormalizedAnswer> = answers
        .iter()
        .map(|answer| NormalizedAnswer::new(answer))
        .filter(|answer| !answer.is_empty())
        .collect();
    if gold.is_empty() {
        gold.push(NormalizedAnswer::new(""));
    }
    let mut exact = 0.0_f64;
    let mut best_f1 = 0.0_f64;
    for answer in &gold {
        let matches = f64::from(u8::from(predicted == *answer));
        exact = exact.max(matches);
        // Two empty answers agree fully; an empty one agrees with no other.
        let f1 = if predicted.is_empty() || answer.is_empty() {
            matches
        } else {
            predicted.f1(answer)
        };
        best_f1 = best_f1.max(f1);
    }
    (exact, best_f1)
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
    fn scores_one_prediction() {
        let cases: [(&str, &[&str], (f64, f64)); 7] = [
            ("", &[], (1.0, 1.0)),
            ("The", &[], (1.0, 1.0)),
            ("x", &[], (0.0, 0.0)),
            ("", &["x"], (0.0, 0.0)),
            // Gold answers that normalise to nothing are dropped while another is left …
            ("", &["the", "x"], (0.0, 0.0)),
            // … and stand for the empty answer where none is.
            ("", &["the"], (1.0, 1.0)),
            ("x y", &["x", "z"], (0.0, 2.0 / 3.0)),
        ];
        for (prediction, answers, expected) in cases {
            assert_eq!(
                score(prediction, answers),
                expected,
                "{prediction:?} {answers:?}"
            );
        }
    }

    #[test]
    fn keys_of_an_absent_class_are_left_out() {
        let answer = |id: &str| match id {
            "a" => Some("x"),
            "n" => Some(""),
            _ => None,
        };
        let json = |questions: Vec<GoldQuestion<'static>>| {
            serde_json::to_string(&evaluate_v2(questions, answer)).expect("scores serialise")
        };
        assert_eq!(
            json(vec![gold("a", &["x"]), gold("n", &[])]),
            concat!(
                r#"{"exact":100.0,"f1":100.0,"total":2,"HasAns_exact":100.0,"HasAns_f1":100.0,"HasAns_total":1,"#,
                r#""NoAns_exact":100.0,"NoAns_f1":100.0,"NoAns_total":1}"#
            )
        );
        assert_eq!(
            json(vec![gold("a", &["x"])]),
            r#"{"exact":100.0,"f1":100.0,"total":1,"HasAns_exact":100.0,"HasAns_f1":100.0,"HasAns_total":1}"#
        );
        assert_eq!(
            json(vec![gold("n", &[])]),
            r#"{"exact":100.0,"f1":100.0,"total":1,"NoAns_exact":100.0,"NoAns_f1":100.0,"NoAns_total":1}"#
        );
        assert_eq!(json(vec![]), r#"{"exact":0.0,"f1":0.0,"total":0}"#);
    }

    #[test]
    fn a_missing_prediction_counts_in_its_class() {
        let scores = evaluate_v2([gold("q", &["x"]), gold("r", &[])], |id| {
            (id == "r").then_some("")
        });
        assert_eq!(scores.missing, ["q"]);
        assert_eq!((scores.exact, scores.total), (50.0, 2));
        assert_eq!(scores.has_ans.map(|s| (s.exact, s.total)), Some((0.0, 1)));
        assert_eq!(scores.no_ans.map(|s| (s.exact, s.total)), Some((100.0, 1)));
    }
}
