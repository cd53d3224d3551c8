//! What can keep a run from leaving its results behind.

use std::{io, path::PathBuf};

use thiserror::Error;

/// A file of the run's output that cannot be written, or an input that cannot be recorded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A folder cannot be made.
    #[error("{}: cannot create the folder: {source}", path.display())]
    CreateDir {
        /// The folder.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("{}: cannot write the file: {source}", path.display())]
    Write {
        /// The file's destination.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// An input file cannot be read for its checksum.
    #[error("{}: cannot read the file: {source}", path.display())]
    Read {
        /// The input file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A value has no JSON form, such as a map whose keys are not strings.
    #[error("{}: cannot be written as JSON: {source}", path.display())]
    Json {
        /// The file the value was meant for.
        path: PathBuf,
        /// What the serialiser says.
        source: serde_json::Error,
    },
}
