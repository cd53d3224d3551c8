//! What can go wrong with documents.

use std::path::PathBuf;

use bert_files::FileError;
use tantivy::TantivyError;
use thiserror::Error;

/// Documents that cannot be had, or not be ranked. Every message is one line.
#[derive(Debug, Error)]
pub enum CorpusError {
    /// A file or a folder cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A document holds nothing to read.
    #[error("{}: found no words, expected a text", path.display())]
    Empty {
        /// The document.
        path: PathBuf,
    },
    /// Below a folder is nothing to read.
    #[error(
        "{}: found no document, expected .txt or .md files with text{}",
        path.display(),
        unreadable.as_ref().map(|it| format!(" ({it})")).unwrap_or_default()
    )]
    NoDocument {
        /// The folder.
        path: PathBuf,
        /// Why the first file that should have been one is none.
        unreadable: Option<Box<CorpusError>>,
    },
    /// The index of the passages fails.
    #[error("the index of the passages: {0}")]
    Index(#[from] TantivyError),
}

impl CorpusError {
    /// Whether the user's input is at fault.
    #[must_use]
    pub fn is_bad_input(&self) -> bool {
        !matches!(self, Self::Index(_))
    }
}
