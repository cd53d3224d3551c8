//! What can go wrong with a file.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use thiserror::Error;

/// A file that cannot be written, read or locked, or that is not what it should be. Every message is one line.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FileError {
    /// A folder cannot be made.
    #[error("{}: cannot create the folder: {}", path.display(), describe(source))]
    CreateFolder {
        /// The folder.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A folder's entries cannot be read.
    #[error("{}: cannot list the folder: {}", path.display(), describe(source))]
    List {
        /// The folder.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A file cannot be written, synced or renamed.
    #[error("{}: cannot be written: {}", path.display(), describe(source))]
    Write {
        /// The file's destination.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A file that should go cannot be removed.
    #[error("{}: cannot be removed: {}", path.display(), describe(source))]
    Remove {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A file cannot be read.
    #[error("{}: {}", path.display(), describe_read(source))]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A path leads to something that has no content of its own.
    #[error("{}: found {found}, expected {}", path.display(), found.wanted())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What is there.
        found: FileKind,
    },
    /// A file is larger than any that makes sense there.
    #[error("{}: found {found} bytes or more, expected at most {limit}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// How many bytes it has at least.
        found: u64,
        /// How many it may have.
        limit: u64,
    },
    /// A text file is not UTF-8.
    #[error("{}: byte {offset} (line {line}): found {found:#04x}, expected UTF-8 text", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The first wrong byte, counted from 0.
        offset: usize,
        /// Its line, counted from 1.
        line: usize,
        /// Its value.
        found: u8,
    },
    /// Another process holds a folder's lock.
    #[error(
        "{}: found another run at work in this folder{}, expected none: wait for it or choose another folder",
        dir.display(),
        pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
    )]
    Locked {
        /// The folder.
        dir: PathBuf,
        /// The process that holds the lock, where it has said so.
        pid: Option<u32>,
    },
    /// A lock cannot be taken, for instance because its folder cannot be written.
    #[error("{}: cannot be locked: {}", path.display(), describe(source))]
    Lock {
        /// The folder, or the lock's file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
}

impl FileError {
    /// Whether the user's input or choice is at fault, as against the machine that cannot write.
    #[must_use]
    pub fn is_bad_input(&self) -> bool {
        match self {
            Self::Read { .. }
            | Self::NotAFile { .. }
            | Self::TooLarge { .. }
            | Self::NotUtf8 { .. }
            | Self::Locked { .. } => true,
            Self::CreateFolder { .. }
            | Self::List { .. }
            | Self::Write { .. }
            | Self::Remove { .. }
            | Self::Lock { .. } => false,
        }
    }

    /// Whether the file is not there.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Read { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    /// Makes an error of a file that cannot be written, for `map_err`.
    pub fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |source| Self::Write { path, source }
    }

    /// Makes an error of a file that cannot be read, for `map_err`.
    pub fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |source| Self::Read { path, source }
    }
}

/// What a path leads to that is no regular file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileKind {
    /// A folder.
    Directory,
    /// A pipe, with or without a name.
    Pipe,
    /// A terminal, a disk, `/dev/zero` and the like.
    Device,
    /// A socket.
    Socket,
    /// Something that this crate has no word for.
    Other,
}

impl FileKind {
    fn wanted(self) -> &'static str {
        if self == Self::Directory {
            "a file"
        } else {
            "a regular file, which can be read twice: save the content in one"
        }
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Directory => "a directory",
            Self::Pipe => "a pipe",
            Self::Device => "a device",
            Self::Socket => "a socket",
            Self::Other => "something other than a file",
        })
    }
}

/// The common reasons without the operating system's number.
fn describe(source: &io::Error) -> String {
    match source.kind() {
        io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        io::ErrorKind::IsADirectory => "found a directory, expected a file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => source.to_string(),
    }
}

fn describe_read(source: &io::Error) -> String {
    match source.kind() {
        io::ErrorKind::NotFound => "no such file".to_owned(),
        io::ErrorKind::IsADirectory | io::ErrorKind::PermissionDenied => describe(source),
        _ => format!("cannot be read: {source}"),
    }
}
