//! Question answering: the worst answers, and scores by kinds of questions.

use serde::{Deserialize, Serialize};

use super::{
    null_as_nan, percent,
    worst::{Worst, ascending, descending},
};

const QUESTION_WORDS: [&str; 10] = [
    "what",
    "who",
    "when",
    "where",
    "which",
    "how many/much",
    "how",
    "why",
    "other",
    "no answer",
];
const LENGTHS: [&str; 6] = ["1", "2", "3–5", "6–10", "> 10", "none"];
const WINDOWS: [&str; 4] = ["1", "2", "3–4", "≥ 5"];

/// A question with its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnsweredQuestion {
    /// The question's id.
    pub id: String,
    /// The article's title.
    #[serde(default)]
    pub title: Option<String>,
    /// The question.
    pub question: String,
    /// The passage.
    pub context: String,
    /// The right answers; empty for a question without one.
    pub gold: Vec<GoldSpan>,
    /// The predicted answer; empty for none.
    pub prediction: String,
    /// Where the predicted answer is: first Unicode scalar in the passage and the one after the last.
    pub predicted_span: Option<(usize, usize)>,
    /// The predicted answer's probability, 0 to 1.
    #[serde(deserialize_with = "null_as_nan")]
    pub probability: f64,
    /// F1 of the answer, 0 to 1.
    #[serde(deserialize_with = "null_as_nan")]
    pub f1: f64,
    /// Whether the answer is an exact match.
    pub exact: bool,
    /// Into how many windows the passage was cut.
    pub windows: usize,
}

/// A right answer in its passage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoldSpan {
    /// The answer.
    pub text: String,
    /// Its first Unicode scalar in the passage.
    pub start: usize,
}

/// Scores of a group of questions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreRow {
    /// What the questions have in common.
    pub name: String,
    /// How many there are.
    pub count: u64,
    /// Exact matches, in percent; 0 where there are no questions.
    pub exact_match: f64,
    /// Mean F1, in percent; 0 where there are no questions.
    #[serde(deserialize_with = "null_as_nan")]
    pub f1: f64,
}

/// The question answering part of a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SquadReport {
    /// All questions together.
    pub all: ScoreRow,
    /// By the first question word of the question. Questions without an answer are a row of their own.
    pub by_question_word: Vec<ScoreRow>,
    /// By the length of the first right answer, in words between spaces.
    pub by_answer_length: Vec<ScoreRow>,
    /// By the number of windows that the passage was cut into.
    pub by_windows: Vec<ScoreRow>,
    /// The worst answers: the lowest F1 first, then the most confident. Right ones are among them where there are few
    /// others.
    pub examples: Vec<AnsweredQuestion>,
}

impl SquadReport {
    /// Sums up all examples in one pass.
    pub fn from_examples(examples: impl IntoIterator<Item = AnsweredQuestion>) -> Self {
        let mut all = Sums::default();
        let mut words = [Sums::default(); QUESTION_WORDS.len()];
        let mut lengths = [Sums::default(); LENGTHS.len()];
        let mut windows = [Sums::default(); WINDOWS.len()];
        let mut worst = Worst::new(|left: &AnsweredQuestion, right| {
            ascending(left.f1, right.f1)
                .then_with(|| descending(left.probability, right.probability))
        });
        for example in examples {
            let groups = [
                Some(&mut all),
                words.get_mut(question_word(&example)),
                lengths.get_mut(answer_length(&example)),
                windows.get_mut(window_group(example.windows)),
            ];
            for group in groups.into_iter().flatten() {
                group.add(&example);
            }
            worst.offer(example);
        }
        Self {
            all: all.row("all"),
            by_question_word: rows(&QUESTION_WORDS, &words),
            by_answer_length: rows(&LENGTHS, &lengths),
            by_windows: rows(&WINDOWS, &windows),
            examples: worst.into_vec(),
        }
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    count: u64,
    exact: u64,
    f1: f64,
}

impl Sums {
    fn add(&mut self, example: &AnsweredQuestion) {
        self.count += 1;
        self.exact += u64::from(example.exact);
        self.f1 += example.f1;
    }

    fn row(self, name: &str) -> ScoreRow {
        ScoreRow {
            name: name.to_owned(),
            count: self.count,
            exact_match: percent(self.exact as f64, self.count),
            f1: percent(self.f1, self.count),
        }
    }
}

/// Groups without a question are not shown.
fn rows(names: &[&str], sums: &[Sums]) -> Vec<ScoreRow> {
    names
        .iter()
        .zip(sums)
        .filter(|(_, sums)| sums.count > 0)
        .map(|(name, sums)| sums.row(name))
        .collect()
}

/// Index into [`QUESTION_WORDS`].
fn question_word(example: &AnsweredQuestion) -> usize {
    if example.gold.is_empty() {
        return 9;
    }
    let question = example.question.to_lowercase();
    let mut words = question
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .peekable();
    while let Some(word) = words.next() {
        return match word {
            "what" => 0,
            "who" | "whom" | "whose" => 1,
            "when" => 2,
            "where" => 3,
            "which" => 4,
            "how" if matches!(words.peek(), Some(&("many" | "much"))) => 5,
            "how" => 6,
            "why" => 7,
            _ => continue,
        };
    }
    8
}

/// Index into [`LENGTHS`].
fn answer_length(example: &AnsweredQuestion) -> usize {
    let Some(gold) = example.gold.first() else {
        return 5;
    };
    match gold.text.split_whitespace().count() {
        0..=1 => 0,
        2 => 1,
        3..=5 => 2,
        6..=10 => 3,
        _ => 4,
    }
}

/// Index into [`WINDOWS`].
fn window_group(windows: usize) -> usize {
    match windows {
        0..=1 => 0,
        2 => 1,
        3..=4 => 2,
        _ => 3,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An example of this question with these gold answers.
    pub(crate) fn example(question: &str, gold: &[&str]) -> AnsweredQuestion {
        AnsweredQuestion {
            id: "q".to_owned(),
            title: None,
            question: question.to_owned(),
            context: "A passage.".to_owned(),
            gold: gold
                .iter()
                .map(|text| GoldSpan {
                    text: (*text).to_owned(),
                    start: 0,
                })
                .collect(),
            prediction: String::new(),
            predicted_span: None,
            probability: 0.5,
            f1: 0.0,
            exact: false,
            windows: 1,
        }
    }

    #[test]
    fn questions_are_grouped_by_their_first_question_word() {
        let cases = [
            ("What's new?", "what"),
            ("In WHICH year, and who?", "which"),
            ("To whom?", "who"),
            ("How  many?", "how many/much"),
            ("how, much", "how many/much"),
            ("How?", "how"),
            ("Whatever", "other"),
            ("", "other"),
            ("Why", "why"),
        ];
        for (question, expected) in cases {
            let name = QUESTION_WORDS[question_word(&example(question, &["a"]))];
            assert_eq!(name, expected, "{question}");
        }
        assert_eq!(
            QUESTION_WORDS[question_word(&example("What?", &[]))],
            "no answer"
        );
    }

    #[test]
    fn the_worst_come_first_and_right_answers_last() {
        let scored = |id: usize, f1, probability| AnsweredQuestion {
            id: id.to_string(),
            f1,
            probability,
            ..example("Why?", &["a"])
        };
        let scores = [
            (0.5, 0.9),
            (0.0, 0.1),
            (1.0, 1.0),
            (0.0, f64::NAN),
            (0.0, 0.8),
        ];
        let examples = scores
            .iter()
            .enumerate()
            .map(|(id, (f1, probability))| scored(id, *f1, *probability));
        let report = SquadReport::from_examples(examples);
        let ids: Vec<&str> = report.examples.iter().map(|e| e.id.as_str()).collect();
        assert_eq!(ids, ["4", "1", "3", "0", "2"]);
        assert!((report.all.f1 - 30.0).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn every_example_is_in_one_group_of_each_kind(
            examples in prop::collection::vec((".{0,20}", prop::collection::vec("[a-z ]{0,30}", 0..3), 0_usize..9, any::<bool>()), 0..60)
        ) {
            let count = examples.len() as u64;
            let exact = examples.iter().filter(|example| example.3).count() as f64;
            let report = SquadReport::from_examples(examples.iter().map(|(question, gold, windows, exact)| {
                let gold: Vec<&str> = gold.iter().map(String::as_str).collect();
                AnsweredQuestion { windows: *windows, exact: *exact, ..example(question, &gold) }
            }));
            prop_assert_eq!(report.all.count, count);
            for rows in [&report.by_question_word, &report.by_answer_length, &report.by_windows] {
                prop_assert_eq!(rows.iter().map(|row| row.count).sum::<u64>(), count);
                let sum: f64 = rows.iter().map(|row| row.exact_match * row.count as f64 / 100.0).sum();
                prop_assert!((sum - exact).abs() < 1e-6);
            }
            prop_assert_eq!(report.examples.len() as u64, count.min(30));
        }
    }
}
