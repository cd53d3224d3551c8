//! SQuAD questions turned into windows of token ids.

mod answer;
mod config;
mod context;
mod convert;
mod record;
#[cfg(test)]
mod tests;

use std::ops::Range;

use bert_datasets::squad::SquadDataset;
use bert_tokenization::BertTokenizer;

use crate::FeatureError;
use crate::window::Windows;

pub use crate::window::TokenSpan;
pub use config::{DocStride, SquadFeatureConfig, SquadMode};
pub use context::ContextTokens;
pub use record::SquadRecord;

/// `[CLS]` and two `[SEP]`.
const SPECIAL_TOKENS: usize = 3;

/// Every window of a dataset. Windows point into contexts and queries, which are tokenised once and shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SquadFeatures {
    /// The configuration they were made with.
    pub config: SquadFeatureConfig,
    /// Parallel to the dataset's contexts, those without questions too.
    pub contexts: Vec<ContextTokens>,
    /// Parallel to the dataset's questions: their first `max_query_length` WordPieces.
    pub queries: Vec<Vec<u32>>,
    /// Parallel to the dataset's questions: the index of each one's context.
    pub question_contexts: Vec<u32>,
    /// In question order, then window order.
    pub windows: Vec<SquadWindow>,
    /// The id of `[CLS]`.
    pub cls_id: u32,
    /// The id of `[SEP]`.
    pub sep_id: u32,
    /// What was left out.
    pub skipped: SquadSkips,
}

/// One input sequence: `[CLS] query [SEP] window of the context [SEP]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SquadWindow {
    /// Index into the dataset's questions.
    pub question: u32,
    /// The n-th window of the question, from 0; windows that training drops are counted.
    pub index: u32,
    /// The context's tokens in this window.
    pub span: TokenSpan,
    /// Where the answer is: always given in training, never in evaluation.
    pub answer: Option<AnswerPositions>,
}

/// Where an answer's tokens are: inclusive positions in the input sequence. Both are 0, the position of `[CLS]`, for a
/// question that cannot be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AnswerPositions {
    /// The answer's first token.
    pub start: u32,
    /// The answer's last token.
    pub end: u32,
}

/// What training leaves out. Evaluation leaves nothing out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SquadSkips {
    /// Ids of questions whose answer's text is not where the file says; they have no windows.
    pub answers_not_found: Vec<String>,
    /// Ids of questions whose answer is longer than every window; they have no windows.
    pub answers_in_no_window: Vec<String>,
    /// Windows dropped because they do not hold the whole answer, those of `answers_in_no_window` among them.
    pub windows_without_answer: usize,
    /// Answers beyond a question's first, which training does not use.
    pub extra_answers_ignored: usize,
}

impl SquadFeatures {
    /// Converts a dataset, in parallel on rayon's current pool.
    ///
    /// # Errors
    ///
    /// Fails on a configuration that leaves no room for the context beside the longest question, and in training on an
    /// answerable question without an answer.
    pub fn convert(
        dataset: &SquadDataset,
        tokenizer: &BertTokenizer,
        config: &SquadFeatureConfig,
        mode: SquadMode,
    ) -> Result<SquadFeatures, FeatureError> {
        convert::convert(dataset, tokenizer, config, mode)
    }

    /// Length of a window's input sequence, in tokens, without padding.
    #[must_use]
    pub fn len_of(&self, window: usize) -> usize {
        let window = &self.windows[window];
        self.query(window).len() + window.span.len() + SPECIAL_TOKENS
    }

    /// Input position of the window's first context token; the context's last is followed by the final `[SEP]`.
    #[must_use]
    pub fn context_offset(&self, window: usize) -> usize {
        self.query(&self.windows[window]).len() + 2
    }

    /// First position with token type 1, that of the first context token; the sequence's rest has token type 1 too.
    #[must_use]
    pub fn segment_b_start(&self, window: usize) -> usize {
        self.context_offset(window)
    }

    /// Appends a window's input ids, [`len_of`](Self::len_of) of them.
    pub fn write_input_ids(&self, window: usize, out: &mut Vec<u32>) {
        let window = &self.windows[window];
        let TokenSpan { start, end } = window.span;
        out.push(self.cls_id);
        out.extend_from_slice(self.query(window));
        out.push(self.sep_id);
        out.extend_from_slice(&self.context(window).ids[start..end]);
        out.push(self.sep_id);
    }

    /// The windows of a question: indices into `windows`.
    #[must_use]
    pub fn windows_of(&self, question: usize) -> Range<usize> {
        let start = self
            .windows
            .partition_point(|window| (window.question as usize) < question);
        let count =
            self.windows[start..].partition_point(|window| window.question as usize == question);
        start..start + count
    }

    /// Whether, among all of its question's windows, this is the one in which a token of the context counts: the one
    /// where the token's smaller side of context is largest ([`Windows::max_context`]).
    ///
    /// # Panics
    ///
    /// Where the context has no such token.
    #[must_use]
    pub fn is_max_context(&self, window: usize, context_token: usize) -> bool {
        let window = &self.windows[window];
        let tokens = self.context(window).ids.len();
        let windows = windows(tokens, self.query(window).len(), &self.config);
        windows.max_context(context_token) == window.index as usize
    }

    fn query(&self, window: &SquadWindow) -> &[u32] {
        &self.queries[window.question as usize]
    }

    fn context(&self, window: &SquadWindow) -> &ContextTokens {
        &self.contexts[self.question_contexts[window.question as usize] as usize]
    }
}

/// The windows over a context, beside a query, each given by its number of tokens.
fn windows(tokens: usize, query: usize, config: &SquadFeatureConfig) -> Windows {
    let capacity = config.max_seq_length - query - SPECIAL_TOKENS;
    Windows::new(tokens, capacity, config.step(capacity))
}
