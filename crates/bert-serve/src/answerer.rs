//! The trait that a model implements, and questions about a passage with their answers.

use std::{fmt::Debug, sync::Arc};

use serde::Serialize;

/// A question about a passage, checked: neither text is blank, and both are within the configured limits.
///
/// Either may hold any Unicode text, control characters and NUL among it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The question.
    pub question: String,
    /// The text to find the answer in, which the questions of one request share; `None`: the model's corpus, which it has
    /// then.
    pub passage: Option<Arc<str>>,
    /// How many answers are wanted at most, 1 to [`MAX_N_BEST`](crate::MAX_N_BEST).
    pub n_best: usize,
    /// How it is answered, where that is not up to the model.
    pub settings: QuestionSettings,
}

/// How a question is answered; what is `None` is up to the model. Lengths are in tokens and, but for the overlap, at least
/// 1; a model refuses what it cannot do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QuestionSettings {
    /// How long a window is at most, special tokens included.
    pub max_length: Option<usize>,
    /// How much of the passage consecutive windows share.
    pub overlap: Option<usize>,
    /// How much of the question is kept.
    pub max_question_length: Option<usize>,
    /// How long an answer is at most.
    pub max_answer_length: Option<usize>,
    /// Whether there may be no answer.
    pub no_answer: Option<bool>,
    /// Whether answers are widened to whole words.
    pub whole_words: bool,
}

/// One answer: a piece of the passage, or of a document of the corpus.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// The passage, or the document, from `start` to `end`.
    pub text: String,
    /// Where it starts, in Unicode scalars of the passage or the document.
    pub start: usize,
    /// Where it ends, half-open, in Unicode scalars of the passage or the document.
    pub end: usize,
    /// How likely it is, 0 to 1.
    pub probability: f64,
    /// Where in the corpus it was found; `None` for a passage.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

/// Where in a corpus an answer was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Source {
    /// The document's path below the corpus.
    pub file: String,
    /// The sentence or sentences that the answer stands in.
    pub sentence: String,
    /// Where they start, in Unicode scalars of the document.
    pub sentence_start: usize,
}

/// The documents that a model answers from where a request has no passage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CorpusInfo {
    /// How many documents there are.
    pub documents: usize,
    /// How many passages they were cut into.
    pub passages: usize,
}

/// The model's result for one question.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answered {
    /// The answers, the best first; there may be none.
    pub answers: Vec<Answer>,
    /// How likely it is that the passage holds no answer, 0 to 1, from models that can tell (SQuAD 2.0).
    pub no_answer_probability: Option<f64>,
    /// How many windows the passage was read in.
    pub windows: usize,
}

/// What a model is asked for: a [`Question`], a [`Text`](crate::Text) or a [`Choice`](crate::Choice).
pub trait Item: Debug + Send + Sync + 'static {
    /// The model's result for one of them.
    type Answer: Debug + Serialize + Send + 'static;

    /// How long it is, in bytes of the longest text that the model reads at once: questions of about one length are
    /// computed together.
    fn length(&self) -> usize;

    /// What is wrong with an answer to this one, if anything is: such an answer reaches no client.
    fn fault(&self, answer: &Self::Answer) -> Option<String>;
}

impl Item for Question {
    type Answer = Answered;

    fn length(&self) -> usize {
        // The passages of a corpus have about one length, which is not known here.
        self.question.len() + self.passage.as_ref().map_or(0, |it| it.len())
    }

    fn fault(&self, answer: &Answered) -> Option<String> {
        answer.fault(self.passage.as_ref().map(|it| it.chars().count()))
    }
}

/// Whether a number can be a probability.
pub(crate) fn is_probability(p: f64) -> bool {
    (0.0..=1.0).contains(&p)
}

impl Answered {
    /// What is wrong with it for a passage of `scalars` Unicode scalars, or for a corpus, if anything is.
    fn fault(&self, scalars: Option<usize>) -> Option<String> {
        if let Some(p) = self.no_answer_probability
            && !is_probability(p)
        {
            return Some(format!(
                "found the probability {p} of no answer, expected 0 to 1"
            ));
        }
        self.answers.iter().find_map(|answer| {
            let Answer { start, end, .. } = *answer;
            if !is_probability(answer.probability) {
                return Some(format!(
                    "found the probability {} of an answer, expected 0 to 1",
                    answer.probability
                ));
            }
            let longest = scalars.unwrap_or(usize::MAX);
            if start > end || end > longest {
                return Some(format!(
                    "found the answer {start}..{end}, expected a part of {longest} characters"
                ));
            }
            (answer.source.is_some() == scalars.is_some()).then(|| {
                format!(
                    "found {:?}, expected a file for a corpus alone",
                    answer.source
                )
            })
        })
    }
}

/// Why the model has no result for a question, a text or a choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The question cannot be asked of this model, and the sentence says why: the client is told (422).
    BadQuestion(String),
    /// The model failed: the reason is logged, the client is told only that it did (500).
    Failed(String),
}

/// What the page and `/api/v1/model` say of the model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModelInfo {
    /// Its name, by which requests and metrics tell the models of a server apart.
    pub name: String,
    /// How many parameters it has.
    pub parameters: u64,
    /// How many tokens the model is given at once, special tokens included: those of a window, a text, or a beginning
    /// with one of its endings.
    pub max_length: usize,
    /// What it runs on, for people.
    pub device: String,
    /// The names of its classes, by their numbers; none where it has no classes.
    pub labels: Vec<String>,
    /// Whether it can tell that a passage holds no answer; no model of another task can.
    pub no_answer: bool,
    /// The documents that it answers from without a passage; no model of another task has any.
    pub corpus: Option<CorpusInfo>,
}

/// A model that answers questions, or what else an [`Item`] asks of it.
///
/// It lives on a thread of its own and is asked for one batch after another.
pub trait Answerer<Q: Item = Question>: Send + 'static {
    /// Answers questions: one result for each, in their order.
    ///
    /// The batch holds 1 to [`max_batch`](crate::ServeConfig::max_batch) waiting questions in their order of arrival: the
    /// oldest, and where more wait than a batch takes, those whose lengths are nearest to its. If this panics, the questions of the batch are asked again one by one, and those that
    /// panic again are answered with an error; the answerer must still work after a panic.
    fn answer(&mut self, questions: &[Q]) -> Vec<Result<Q::Answer, Refusal>>;

    /// Describes the model. Called once, before the first question.
    fn model(&self) -> ModelInfo;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_that_a_passage_cannot_have_are_faults() {
        let with = |start, end, probability| Answered {
            answers: vec![Answer {
                text: String::new(),
                start,
                end,
                probability,
                source: None,
            }],
            no_answer_probability: None,
            windows: 1,
        };
        for (start, end, probability, sound) in [
            (0, 5, 1.0, true),
            (5, 5, 0.0, true),
            (0, 6, 0.5, false),
            (3, 2, 0.5, false),
            (0, 1, f64::NAN, false),
            (0, 1, 1.1, false),
        ] {
            let fault = with(start, end, probability).fault(Some(5));
            assert_eq!(
                fault.is_none(),
                sound,
                "{start}..{end} {probability}: {fault:?}"
            );
        }
        let mut nowhere = with(0, 1, 0.5);
        nowhere.no_answer_probability = Some(f64::INFINITY);
        assert!(nowhere.fault(Some(5)).is_some());
        // An answer from a corpus names its file, and no other does.
        let mut found = with(90, 91, 0.5);
        assert!(found.fault(None).is_some());
        found.answers[0].source = Some(Source {
            file: "a.txt".into(),
            sentence: "It is.".into(),
            sentence_start: 88,
        });
        assert_eq!(found.fault(None), None);
        assert!(found.fault(Some(100)).is_some());
    }
}
