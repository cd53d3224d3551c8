//! What can keep a checkpoint from being written, found or believed.

use std::{io, path::PathBuf};

use thiserror::Error;

/// A checkpoint that cannot be written, read, removed or trusted, or an output folder that cannot be locked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The folder of the checkpoints cannot be made.
    #[error("{}: cannot create the folder: {source}", path.display())]
    CreateDir {
        /// The folder.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A folder's entries cannot be read.
    #[error("{}: cannot list the folder: {source}", path.display())]
    List {
        /// The folder.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A checkpoint cannot be written, synced or renamed.
    #[error("{}: cannot write the checkpoint: {source}", path.display())]
    Write {
        /// The checkpoint, or the file of it, by its final name.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The checksums have no JSON form.
    #[error("{}: cannot be written as JSON: {source}", path.display())]
    Json {
        /// The file the checksums were meant for.
        path: PathBuf,
        /// What the serialiser says.
        source: serde_json::Error,
    },
    /// A checkpoint's file has a name that the checksums cannot list.
    #[error(
        "{}: found a file of this name, expected names in UTF-8 other than checksums.json",
        path.display()
    )]
    FileName {
        /// The file, by its final name.
        path: PathBuf,
    },
    /// Something in a checkpoint is a folder, a link or the like.
    #[error(
        "{}: found something other than a plain file, expected only plain files in a checkpoint",
        path.display()
    )]
    NotAFile {
        /// The entry.
        path: PathBuf,
    },
    /// A checkpoint cannot be taken away.
    #[error("{}: cannot remove the checkpoint: {source}", path.display())]
    Remove {
        /// The checkpoint, or what is left of it.
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
    /// A checkpoint's file cannot be read.
    #[error("{}: cannot read the checkpoint: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A checkpoint lacks one of its files.
    #[error("{}: found no such file, expected one: the checkpoint is damaged", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// A file has another length than the checksums say.
    #[error("{}: found {found} bytes, expected {expected}: the checkpoint is damaged", path.display())]
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
        "{}: found SHA-256 {found}, expected {}: the checkpoint is damaged",
        path.display(),
        expected.escape_debug()
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
    #[error("{}: cannot be read as checksums: {source}: the checkpoint is damaged", path.display())]
    Checksums {
        /// The file of the checksums.
        path: PathBuf,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// The checksums are of another format.
    #[error(
        "{}: found format {found}, expected {expected}: the checkpoint is another version's",
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
    /// Another run holds the output folder's lock.
    #[error(
        "{}: found another run at work in this folder{}, expected none: wait for it or choose another --output-dir",
        dir.display(),
        pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
    )]
    Locked {
        /// The output folder.
        dir: PathBuf,
        /// The process that holds the lock, where it has said so.
        pid: Option<u32>,
    },
    /// An output folder cannot be locked, for instance because it cannot be written.
    #[error("{}: cannot be locked: {source}", dir.display())]
    Lock {
        /// The output folder.
        dir: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
}

impl CheckpointError {
    /// Whether a checkpoint's content is not what was written, as against a file or folder that the system refuses.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        match self {
            Self::NotAFile { .. }
            | Self::Missing { .. }
            | Self::Size { .. }
            | Self::Sha256 { .. }
            | Self::Checksums { .. } => true,
            Self::Format { .. }
            | Self::CreateDir { .. }
            | Self::List { .. }
            | Self::Write { .. }
            | Self::Json { .. }
            | Self::FileName { .. }
            | Self::Remove { .. }
            | Self::TidyUp { .. }
            | Self::Read { .. }
            | Self::Locked { .. }
            | Self::Lock { .. } => false,
        }
    }
}
