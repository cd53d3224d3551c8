//! What can keep a report from being made.

use std::path::PathBuf;

use bert_files::{FileError, JsonFault, cut};
use bert_records::RecordError;
use thiserror::Error;

/// A run's folder that cannot be read, a report that cannot be written, or runs that make no report.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A file that cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A record of the run that cannot be read or written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A folder is no run's.
    #[error("{}: found no run.json, expected the output folder of a run", dir.display())]
    NoRecord {
        /// The folder.
        dir: PathBuf,
    },
    /// What a report shows of a run's examples is damaged.
    #[error(
        "{}: cannot be read as a report's data: {source}: remove the file or evaluate again",
        path.display()
    )]
    Details {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        source: JsonFault,
    },
    /// What a report shows of a run's examples is of another format.
    #[error(
        "{}: found format {found}, expected {expected}: remove the file or evaluate again with this version",
        path.display()
    )]
    DetailsFormat {
        /// The file.
        path: PathBuf,
        /// The format it states.
        found: u64,
        /// The one that this crate reads.
        expected: u64,
    },
    /// An example's label is not one of the task's.
    #[error(
        "example {}: found label {found}, expected one below {labels}",
        bert_files::quoted(id)
    )]
    Label {
        /// The example.
        id: String,
        /// The label's index.
        found: usize,
        /// How many labels there are.
        labels: usize,
    },
    /// Too few or too many runs to compare.
    #[error("found {found} runs to compare, expected {least} to {most}")]
    RunCount {
        /// How many were given.
        found: usize,
        /// The fewest.
        least: usize,
        /// The most.
        most: usize,
    },
    /// Runs of several tasks cannot be compared.
    #[error(
        "{}: found a run of {}, expected {} as in {}: compare runs of one task",
        dir.display(),
        cut(found),
        cut(expected),
        first_dir.display()
    )]
    OtherTask {
        /// The run's folder.
        dir: PathBuf,
        /// Its task.
        found: String,
        /// The first run's task.
        expected: String,
        /// The first run's folder.
        first_dir: PathBuf,
    },
    /// A comparison would take the place of a file that the user has not named.
    #[error("{}: found a file of this name, expected none: name the file that the comparison is to replace", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
}

impl ReportError {
    /// Whether the user's input or choice is at fault, as against the machine that cannot write.
    #[must_use]
    pub fn is_bad_input(&self) -> bool {
        match self {
            Self::File(error) => error.is_bad_input(),
            Self::Record(error) => error.is_bad_input(),
            Self::NoRecord { .. }
            | Self::Details { .. }
            | Self::DetailsFormat { .. }
            | Self::RunCount { .. }
            | Self::OtherTask { .. }
            | Self::Exists { .. } => true,
            Self::Label { .. } => false,
        }
    }
}
