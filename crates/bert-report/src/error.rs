//! What can keep a run from leaving its results behind.

use std::{io, path::PathBuf};

use thiserror::Error;

/// A file of the run's output that cannot be written, an input that cannot be recorded, an earlier run's record that
/// cannot be read, or runs that make no report.
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
    /// A folder is no run's.
    #[error("{}: found no run.json, expected the output folder of a run", dir.display())]
    NoRecord {
        /// The folder.
        dir: PathBuf,
    },
    /// A line of a metrics log is no JSON.
    #[error(
        "{}:{line}: cannot be read as a logged step: {source}: remove the line or restore the file",
        path.display()
    )]
    MetricsLine {
        /// The log.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// The scores of a run are damaged.
    #[error(
        "{}: cannot be read as a run's scores: {source}: remove the file or evaluate again",
        path.display()
    )]
    Results {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        source: serde_json::Error,
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
        source: serde_json::Error,
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
    #[error("example {id:?}: found label {found}, expected one below {labels}")]
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
        found.escape_debug(),
        expected.escape_debug(),
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
}
