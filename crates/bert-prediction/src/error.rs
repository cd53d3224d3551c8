//! What can keep logits from becoming answers.

use std::fmt;

use thiserror::Error;

/// Settings, features or logits that give no predictions. Every message is one line.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum PredictionError {
    /// A setting is out of its range.
    #[error("`{setting}`: found {found}, expected {expected}")]
    Setting {
        /// The setting's name.
        setting: &'static str,
        /// The values it can have.
        expected: &'static str,
        /// The value it has.
        found: f64,
    },
    /// The features were made from another dataset.
    #[error("the features do not belong to the dataset: expected {expected} {what}, found {found}")]
    ForeignFeatures {
        /// What was compared: a number of things, or an index.
        what: &'static str,
        /// What the dataset has.
        expected: usize,
        /// What the features have.
        found: usize,
    },
    /// A word of the features is not inside its context: they were made from another dataset.
    #[error(
        "the features do not belong to the dataset: word {word} of context {context} is outside its text"
    )]
    ForeignWord {
        /// Index of the context.
        context: usize,
        /// Index of the word.
        word: usize,
    },
    /// Not one pair of logits a window.
    #[error("expected the logits of {expected} windows, found {found}")]
    WindowCount {
        /// Windows of the features.
        expected: usize,
        /// Windows with logits.
        found: usize,
    },
    /// Logits that do not reach the end of their window.
    #[error(
        "question {question:?}, window {window}: expected {edge} logits of {expected} tokens, found {found}"
    )]
    ShortLogits {
        /// Id of the question.
        question: String,
        /// The n-th window of the question.
        window: u32,
        /// Which of the two slices is short.
        edge: SpanEdge,
        /// Tokens of the window.
        expected: usize,
        /// Length of the slice.
        found: usize,
    },
    /// A logit that is infinite or not a number, as a diverged model gives them.
    #[error(
        "question {question:?}, window {window}: expected finite logits, found {value} as {edge} logit of token {token}"
    )]
    NonFiniteLogit {
        /// Id of the question.
        question: String,
        /// The n-th window of the question.
        window: u32,
        /// Which of the two slices it is in.
        edge: SpanEdge,
        /// Position in the window's input sequence.
        token: usize,
        /// The logit.
        value: f32,
    },
    /// An example without logits: there is no class to choose.
    #[error("expected the logits of at least 1 class, found none")]
    NoClassLogits,
    /// The logit of a class that is infinite or not a number, as a diverged model gives them.
    #[error("expected finite logits, found {value} as logit of class {class}")]
    NonFiniteClassLogit {
        /// Index of the class or of the ending.
        class: usize,
        /// The logit.
        value: f32,
    },
    /// The features hold a token that the tokenizer does not: they were made with another one.
    #[error("question {question:?}: token id {id} is not in the tokenizer's vocabulary")]
    UnknownToken {
        /// Id of the question.
        question: String,
        /// The token.
        id: u32,
    },
}

/// The two ends of an answer span, each with logits of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanEdge {
    /// The first token.
    Start,
    /// The last token.
    End,
}

impl fmt::Display for SpanEdge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Start => "start",
            Self::End => "end",
        })
    }
}

impl PredictionError {
    /// Whether a setting is wrong, rather than a logit.
    pub fn is_bad_input(&self) -> bool {
        matches!(self, Self::Setting { .. })
    }
}
