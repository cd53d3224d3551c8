//! What can be wrong with the content files.

use bert_datasets::glue::UnknownGlueTask;
use thiserror::Error;

/// A mistake in the word lists or templates that the generator is built from.
#[derive(Debug, Error)]
pub enum DemoDataError {
    /// A content file is not the TOML we expect.
    #[error("{file}: {source}")]
    Content {
        /// Path inside the crate's `content` folder.
        file: String,
        /// What the TOML reader says.
        source: toml::de::Error,
    },
    /// A slot has a kind that does not exist.
    #[error("unknown kind of value {found:?}")]
    UnknownKind {
        /// The kind as written.
        found: String,
    },
    /// A template has a bracket or brace that is not closed.
    #[error("unclosed {bracket:?} in template {template:?}")]
    Unclosed {
        /// The opening bracket.
        bracket: char,
        /// The template it was found in.
        template: String,
    },
    /// A template mentions a slot that its relation does not have, or leaves one out.
    #[error("{domain}, relation {relation:?}: slot {slot:?} is missing in {place:?}")]
    Slot {
        /// Title of the domain.
        domain: String,
        /// Name of the relation.
        relation: String,
        /// Name of the slot.
        slot: String,
        /// The template, or the list that lacks the slot.
        place: String,
    },
    /// A domain uses a relation or filler that is not there.
    #[error("{domain}: no relation or filler named {found:?}")]
    UnknownName {
        /// Title of the domain.
        domain: String,
        /// The name that was looked up.
        found: String,
    },
    /// No relation of a domain can begin a passage, or a list of choices is empty.
    #[error("{place}: nothing to choose from")]
    NothingToChoose {
        /// Where the choice was made.
        place: String,
    },
    /// So many attempts failed that a word list must be too small.
    #[error("{domain}: no acceptable passage in {attempts} attempts")]
    NoPassage {
        /// Title of the domain.
        domain: String,
        /// Attempts made.
        attempts: usize,
    },
    /// So many attempts failed that the lists of a task must be too small.
    #[error("{task}: no new example in {attempts} attempts")]
    NoExample {
        /// The task, or the label within it.
        task: String,
        /// Attempts made.
        attempts: usize,
    },
    /// A content file is of a task that the table of GLUE tasks lacks.
    #[error("the tasks of the demo: {0}")]
    Task(UnknownGlueTask),
    /// A layout has a column that the generator cannot fill.
    #[error("{file}: column {found:?}: expected one that is known, or its text in `cells`")]
    Column {
        /// The content file's task.
        file: String,
        /// The column.
        found: String,
    },
    /// The WordPiece trainer failed.
    #[error("WordPiece training: {message}")]
    Vocabulary {
        /// What the trainer says.
        message: String,
    },
    /// The files could not be written as JSON.
    #[error("writing JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The files could not be written as CSV.
    #[error("writing CSV: {0}")]
    Csv(#[from] csv::Error),
}

/// Nothing to choose from at `place`.
pub(crate) fn nothing_to_choose(place: &str) -> DemoDataError {
    DemoDataError::NothingToChoose {
        place: place.to_owned(),
    }
}
