//! What can keep examples from becoming features.

use bert_tokenization::TokenizationError;
use thiserror::Error;

/// A configuration or an example that gives no features. Every message is one line.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FeatureError {
    /// Windows would not advance.
    #[error("`doc_stride`: found 0, expected at least 1 token between window starts")]
    DocStride,
    /// Windows that overlap so much would not advance.
    #[error(
        "`doc_stride`: found an overlap of {found}, expected less than the {room} tokens of the context in a window \
         (`max_seq_length` less {max_query_length} of a question and 3 special ones)"
    )]
    DocOverlap {
        /// The setting.
        found: usize,
        /// Tokens of a window beside the longest question.
        room: usize,
        /// The longest question, in tokens.
        max_query_length: usize,
    },
    /// Questions would vanish.
    #[error("`max_query_length`: found 0, expected at least 1 token")]
    MaxQueryLength,
    /// The sequence has no room for a question and a context.
    #[error("`max_seq_length`: found {found}, expected at least {least} tokens")]
    MaxSeqLength {
        /// The setting.
        found: usize,
        /// The least that works.
        least: usize,
    },
    /// A question leaves no room for its context.
    #[error(
        "`max_seq_length`: found {max_seq_length}, expected at least {}: question {id:?} has {query} tokens, beside 3 \
         special tokens and 1 of the context; raise `max_seq_length` or lower `max_query_length`",
        query + 4
    )]
    NoRoomForContext {
        /// The setting.
        max_seq_length: usize,
        /// The question's id.
        id: String,
        /// The question's length after truncation, in tokens.
        query: usize,
    },
    /// A question of the greatest length leaves no room for its context.
    #[error(
        "`max_seq_length`: found {found}, expected at least {least} tokens: {max_query_length} of a question \
         (`max_query_length`), 3 special ones and 1 of the context; raise `max_seq_length` or lower `max_query_length`"
    )]
    NoRoomForQuestions {
        /// The setting.
        found: usize,
        /// The least that works.
        least: usize,
        /// The longest question, in tokens.
        max_query_length: usize,
    },
    /// Training needs an answer.
    #[error("question {id:?}: found no answer, expected one for training")]
    NoAnswer {
        /// The question's id.
        id: String,
    },
    /// An example has another number of endings than the first.
    #[error("example {id:?}: found {found} endings, expected {expected}, as the first example has")]
    Endings {
        /// The example's id.
        id: String,
        /// Its endings.
        found: usize,
        /// The first example's endings.
        expected: usize,
    },
    /// The tokenizer failed.
    #[error(transparent)]
    Tokenization(#[from] TokenizationError),
}
