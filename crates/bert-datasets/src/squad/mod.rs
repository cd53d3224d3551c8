//! SQuAD v1.1 and v2.0 JSON files (Rajpurkar et al. 2016, 2018).

mod file;
mod flat;
mod predictions;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::{DatasetError, text};

pub use flat::QuestionColumns;
pub use predictions::{read_null_odds, read_predictions};

/// The version of the data, from the file's `version` key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SquadVersion {
    /// `"1.1"` or `"v1.1"`: every question has an answer.
    V1_1,
    /// `"2.0"` or `"v2.0"`: a question may be impossible to answer.
    V2_0,
}

impl fmt::Display for SquadVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::V1_1 => "1.1",
            Self::V2_0 => "2.0",
        })
    }
}

/// A SQuAD file, in its own order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SquadDataset {
    /// The version that the file states.
    pub version: SquadVersion,
    /// Every paragraph's context, in file order.
    pub contexts: Vec<SquadContext>,
    /// Every question, in file order.
    pub questions: Vec<SquadQuestion>,
}

/// A paragraph of an article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SquadContext {
    /// The article's title, which its paragraphs share; empty where the file gives none.
    pub title: Arc<str>,
    /// The paragraph.
    pub text: String,
}

/// A question about a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SquadQuestion {
    /// The file's id, unique in the file.
    pub id: String,
    /// The question.
    pub text: String,
    /// Index into [`SquadDataset::contexts`].
    pub context: usize,
    /// Whether the file says how the question is answered. It does not where `answers` is missing, nor in v1.1 where
    /// the list is empty. Such a question can be predicted, but neither scored nor trained on.
    pub is_labelled: bool,
    /// Whether the context does not answer the question; always false in v1.1.
    pub is_impossible: bool,
    /// The gold answers, in file order.
    pub answers: Vec<SquadAnswer>,
}

/// A gold answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SquadAnswer {
    /// The answer's text. Reading does not check that it stands at `start`.
    pub text: String,
    /// Where the text starts: Unicode scalars into the context, always inside it.
    pub start: usize,
}

impl SquadDataset {
    /// Number of questions that the file does not label.
    #[must_use]
    pub fn unlabelled(&self) -> usize {
        let labelled = self.questions.iter().filter(|it| it.is_labelled).count();
        self.questions.len() - labelled
    }
}

/// Reads and validates a SQuAD file, or flat rows as Hugging Face's `datasets` have them: `context`, `question`, `answers` (`text`
/// and `answer_start`, two lists) and perhaps `id` and `title`. They are JSON objects in a list, one a line, or under the key
/// `data`; rows of Parquet; or a table with `answers.text` and `answers.answer_start`, lists as JSON or single answers. `columns`
/// names others. Keys that SQuAD does not define, and `plausible_answers`, are ignored.
///
/// # Errors
///
/// Fails where the file cannot be read, is not UTF-8, is not JSON, is not of SQuAD's shape or has another version,
/// has no questions, repeats a question id, has an answer that starts outside its context, or lacks a column that is named.
pub fn read(path: &Path, columns: &QuestionColumns) -> Result<SquadDataset, DatasetError> {
    parse(path, &text::read(path)?, columns)
}

/// Validates the bytes of a SQuAD file; `name` is the file's name in errors.
///
/// # Errors
///
/// As [`read`], without those of the file system.
pub fn parse(
    name: &Path,
    bytes: &[u8],
    columns: &QuestionColumns,
) -> Result<SquadDataset, DatasetError> {
    let text = bert_files::decode(name, bytes)?;
    if flat::is_flat(name, text, columns) {
        return flat::parse(name, text, columns);
    }
    if columns.are_named() {
        return Err(DatasetError::NotFlat {
            path: name.to_owned(),
        });
    }
    file::parse(name, text)
}
