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
    /// A template has a bracket or brace that is not closed.
    #[error("unclosed {bracket:?} in template {template:?}")]
    Unclosed {
        /// The opening bracket.
        bracket: char,
        /// The template it was found in.
        template: String,
    },
    /// A template names a slot that it must not have, or a list lacks one.
    #[error(
        "{file}: slot {slot:?} in {place:?}: expected a slot that exists and that the template may name"
    )]
    Slot {
        /// The content file.
        file: String,
        /// Name of the slot.
        slot: String,
        /// The template, or the list that lacks the slot.
        place: String,
    },
    /// A relation names a part that no kind has.
    #[error("{file}: no kind has a part named {found:?}")]
    UnknownName {
        /// The content file.
        file: String,
        /// The name that was looked up.
        found: String,
    },
    /// A list of choices is empty.
    #[error("{place}: nothing to choose from")]
    NothingToChoose {
        /// Where the choice was made.
        place: String,
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
    /// A text could not be split into words.
    #[error("splitting a text into words: {message}")]
    Vocabulary {
        /// What the normaliser says.
        message: String,
    },
    /// The files could not be written as JSON.
    #[error("writing JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The weights could not be written.
    #[error("writing weights: {0}")]
    Weights(#[from] safetensors::SafeTensorError),
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

/// Reads a file of `content`, which is part of the program.
///
/// # Errors
///
/// If the file is not what is expected.
pub(crate) fn parse<T: serde::de::DeserializeOwned>(
    file: &str,
    text: &str,
) -> Result<T, DemoDataError> {
    toml::from_str(text).map_err(|source| DemoDataError::Content {
        file: file.to_owned(),
        source,
    })
}
