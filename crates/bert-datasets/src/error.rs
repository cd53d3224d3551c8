//! What can be wrong with a data file.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::squad::SquadVersion;

/// A data file that cannot be used. Every message is one line; JSON paths look like `data[3].paragraphs[2].qas[1].id`.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// The file system refused.
    #[error("{}: {}", path.display(), describe(source))]
    Io {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// The file has no content.
    #[error("{}: the file is empty, expected {expected}", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        expected: &'static str,
    },
    /// The file is not UTF-8.
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
    /// The file is not JSON.
    #[error("{}:{line}:{column}: not JSON: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1.
        line: usize,
        /// Byte of the line, counted from 1.
        column: usize,
        /// What was found and expected.
        message: String,
    },
    /// The file is JSON of another shape.
    #[error("{}:{line}:{column}: {at}: {message}", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1.
        line: usize,
        /// Byte of the line, counted from 1.
        column: usize,
        /// JSON path.
        at: String,
        /// What was found and expected.
        message: String,
    },
    /// The SQuAD version is none that we know.
    #[error("{}: version: found {found:?}, expected \"1.1\" or \"v2.0\"", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// What it says.
        found: String,
    },
    /// A key that this version needs is missing.
    #[error("{}: {at}: missing field `is_impossible`, expected in a SQuAD 2.0 file", path.display())]
    MissingIsImpossible {
        /// The file.
        path: PathBuf,
        /// JSON path of the question.
        at: String,
    },
    /// A question is unanswerable in a version that has no such questions.
    #[error("{}: {at}.is_impossible: found true, expected only answerable questions in version {version}", path.display())]
    ImpossibleQuestion {
        /// The file.
        path: PathBuf,
        /// JSON path of the question.
        at: String,
        /// The file's version.
        version: SquadVersion,
    },
    /// Two questions have one id.
    #[error("{}: {second}.id: found {id:?} again, expected unique ids (first at {first}.id)", path.display())]
    DuplicateId {
        /// The file.
        path: PathBuf,
        /// The id.
        id: String,
        /// JSON path of the question that had it first.
        first: String,
        /// JSON path of the question that has it again.
        second: String,
    },
    /// An answer starts outside its context.
    #[error("{}: {at}.answer_start: found {found}, expected less than the context's {length} characters", path.display())]
    AnswerStart {
        /// The file.
        path: PathBuf,
        /// JSON path of the answer.
        at: String,
        /// `answer_start`, in characters.
        found: usize,
        /// The context's length, in characters.
        length: usize,
    },
}

fn describe(source: &io::Error) -> String {
    match source.kind() {
        io::ErrorKind::NotFound => "no such file".to_owned(),
        io::ErrorKind::IsADirectory => "found a directory, expected a file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => format!("cannot be read: {source}"),
    }
}
