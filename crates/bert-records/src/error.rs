//! What can go wrong with what a run keeps.

use std::{io, path::PathBuf};

use bert_files::{FileError, JsonFault};
use thiserror::Error;

/// A record that cannot be written or read, or a run state that cannot be written, found or trusted.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// A file or folder that cannot be written, read, listed or locked.
    #[error(transparent)]
    File(#[from] FileError),
    /// A value has no JSON form, such as a map whose keys are not strings.
    #[error("{}: cannot be written as JSON: {source}", path.display())]
    Json {
        /// The file that the value was meant for.
        path: PathBuf,
        /// What the serialiser says.
        source: serde_json::Error,
    },
    /// `run.json` is no record of a run, for instance because it is damaged.
    #[error("{}: cannot be read as a run's record: {source}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        source: JsonFault,
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
        source: JsonFault,
    },
    /// A step is above what a file's format has room for.
    #[error("{}: expected a step up to {}, found {step}", path.display(), i64::MAX)]
    Step {
        /// The file it was meant for.
        path: PathBuf,
        /// The step.
        step: u64,
    },
    /// A run state cannot be written, synced or renamed.
    #[error("{}: cannot write the run state: {source}", path.display())]
    WriteRunState {
        /// The run state, or the file of it, by its final name.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A file of a run state has a name that the checksums cannot list.
    #[error(
        "{}: found a file of this name, expected names in UTF-8 other than checksums.json",
        path.display()
    )]
    FileName {
        /// The file, by its final name.
        path: PathBuf,
    },
    /// Something in a run state is a folder, a link or the like.
    #[error(
        "{}: found something other than a plain file, expected only plain files in a run state",
        path.display()
    )]
    NotAFile {
        /// The entry.
        path: PathBuf,
    },
    /// A run state cannot be taken away.
    #[error("{}: cannot remove the run state: {source}", path.display())]
    RemoveRunState {
        /// The run state, or what is left of it.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// What an interrupted run left cannot be taken away or put back.
    #[error("{}: cannot tidy up after an interrupted run: {source}", path.display())]
    TidyUp {
        /// What it left.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A file of a run state cannot be read.
    #[error("{}: cannot read the run state: {source}", path.display())]
    ReadRunState {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A run state lacks one of its files.
    #[error("{}: found no such file, expected one: the run state is damaged", path.display())]
    MissingFile {
        /// The file.
        path: PathBuf,
    },
    /// A file has another length than the checksums say.
    #[error("{}: found {found} bytes, expected {expected}: the run state is damaged", path.display())]
    Size {
        /// The file.
        path: PathBuf,
        /// Its length in bytes.
        found: u64,
        /// The length in bytes of when it was written.
        expected: u64,
    },
    /// A file has another content than the checksums say.
    #[error(
        "{}: found SHA-256 {found}, expected {}: the run state is damaged",
        path.display(),
        bert_files::cut(expected)
    )]
    Sha256 {
        /// The file.
        path: PathBuf,
        /// Its digest in lower-case hexadecimal digits.
        found: String,
        /// What the checksums say, which may itself be damaged.
        expected: String,
    },
    /// The checksums are not JSON, or not of the form that this crate writes.
    #[error("{}: cannot be read as checksums: {source}: the run state is damaged", path.display())]
    Checksums {
        /// The file of the checksums.
        path: PathBuf,
        /// What the parser says.
        source: JsonFault,
    },
    /// The checksums are longer than those of any run state.
    #[error("{}: found {found} bytes, expected {limit} at most: the run state is damaged", path.display())]
    ChecksumsTooLarge {
        /// The file of the checksums.
        path: PathBuf,
        /// Its length in bytes.
        found: u64,
        /// The most bytes that are read.
        limit: u64,
    },
    /// The checksums are of another format.
    #[error(
        "{}: found format {found}, expected {expected}: the run state is another version's",
        path.display()
    )]
    Format {
        /// The file of the checksums.
        path: PathBuf,
        /// The format it states.
        found: u64,
        /// The one that this crate reads.
        expected: u64,
    },
}

impl RecordError {
    /// Whether a run state's content is not what was written, as against a file or folder that the system refuses.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        match self {
            Self::NotAFile { .. }
            | Self::MissingFile { .. }
            | Self::Size { .. }
            | Self::Sha256 { .. }
            | Self::Checksums { .. }
            | Self::ChecksumsTooLarge { .. } => true,
            Self::File(_)
            | Self::Json { .. }
            | Self::Parse { .. }
            | Self::Results { .. }
            | Self::Step { .. }
            | Self::WriteRunState { .. }
            | Self::FileName { .. }
            | Self::RemoveRunState { .. }
            | Self::TidyUp { .. }
            | Self::ReadRunState { .. }
            | Self::Format { .. } => false,
        }
    }

    /// Whether the user's input or choice is at fault, as against the machine that cannot write.
    #[must_use]
    pub fn is_bad_input(&self) -> bool {
        match self {
            Self::File(error) => error.is_bad_input(),
            Self::Parse { .. } | Self::Results { .. } => true,
            other => other.is_damage(),
        }
    }
}
