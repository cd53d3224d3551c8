//! What can keep a run from leaving its results behind.

use std::{io, path::PathBuf};

use thiserror::Error;

/// A file of the run's output that cannot be written, an input that cannot be recorded, or an earlier run's record that
/// cannot be read.
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
    /// An input file or an earlier run's record cannot be read.
    #[error("{}: cannot read the file: {source}", path.display())]
    Read {
        /// The file.
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
    /// A file of an earlier run is no record of one, for instance because it is damaged.
    #[error("{}: cannot be read as a run's record: {source}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// A step is above what a file's format has room for.
    #[error("{}: expected a step up to {}, found {step}", path.display(), i64::MAX)]
    Step {
        /// The file it was meant for.
        path: PathBuf,
        /// The step.
        step: u64,
    },
}
