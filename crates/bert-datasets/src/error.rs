//! What can be wrong with a data file.

use std::path::PathBuf;

use bert_files::{FileError, quoted};
use thiserror::Error;

use crate::squad::SquadVersion;

/// A data file that cannot be used. Every message is one line; JSON paths look like `data[3].paragraphs[2].qas[1].id`.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// The file cannot be read, or is no UTF-8 text.
    #[error(transparent)]
    File(#[from] FileError),
    /// An object has other keys than the first.
    #[error("{}:{line}: the key {} is {what}, expected the keys of the first object", path.display(), quoted(key))]
    OtherKeys {
        /// The file.
        path: PathBuf,
        /// The object's line, counted from 1.
        line: usize,
        /// The key.
        key: String,
        /// What is wrong with it: missing or new.
        what: &'static str,
    },
    /// A row of a question lists as many texts as places.
    #[error("{}:{line}: answers: found {texts} texts and {starts} places, expected as many of each", path.display())]
    AnswerColumns {
        /// The file.
        path: PathBuf,
        /// The row's line, counted from 1.
        line: usize,
        /// Texts of answers.
        texts: usize,
        /// Their places.
        starts: usize,
    },
    /// The file is named as one of Parquet, and is none that can be read.
    #[error("{}: not Parquet that can be read: {message}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What was found.
        message: String,
    },
    /// The file has no content.
    #[error("{}: the file is empty, expected {expected}", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        expected: &'static str,
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
    /// A row of questions has another shape.
    #[error("{}:{line}: {at}: {message}", path.display())]
    RowShape {
        /// The file.
        path: PathBuf,
        /// The row's line, counted from 1.
        line: usize,
        /// JSON path in the row.
        at: String,
        /// What was found and expected.
        message: String,
    },
    /// Columns are named for a file that has none.
    #[error("{}: found SQuAD's own layout, expected flat rows with the named columns", path.display())]
    NotFlat {
        /// The file.
        path: PathBuf,
    },
    /// The SQuAD version is none that we know.
    #[error("{}: version: found {}, expected \"1.1\" or \"v2.0\"", path.display(), quoted(found))]
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
    /// No article has a question.
    #[error("{}: found no questions, expected at least one", path.display())]
    NoQuestions {
        /// The file.
        path: PathBuf,
    },
    /// Two questions have one id.
    #[error("{}: {second}.id: found {} again, expected unique ids (first at {first}.id)", path.display(), quoted(id))]
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
    /// The table lacks a column that was asked for.
    #[error("{}:{line}: no column {}: found {}", path.display(), quoted(column), list(found))]
    NoSuchColumn {
        /// The file.
        path: PathBuf,
        /// The header's line, counted from 1.
        line: usize,
        /// The column.
        column: String,
        /// The columns that are there.
        found: Vec<String>,
    },
    /// A header lacks columns.
    #[error(
        "{}:{line}: no column {}: found {}, expected the header of {kind}",
        path.display(), list(missing), list(found)
    )]
    MissingColumns {
        /// The file.
        path: PathBuf,
        /// The header's line, counted from 1.
        line: usize,
        /// The columns that are not there.
        missing: Vec<&'static str>,
        /// The header's columns.
        found: Vec<String>,
        /// What the file should be.
        kind: &'static str,
    },
    /// A header has one column twice.
    #[error(
        "{}:{line}: found the columns {} and {}, expected one of them",
        path.display(), quoted(first), quoted(second)
    )]
    DuplicateColumn {
        /// The file.
        path: PathBuf,
        /// The header's line, counted from 1.
        line: usize,
        /// The column that comes first.
        first: String,
        /// The column that means the same.
        second: String,
    },
    /// A row has more or fewer columns than the header.
    #[error("{}:{line}: found {found} columns, expected {expected}", path.display())]
    ColumnCount {
        /// The file.
        path: PathBuf,
        /// The line where the row starts, counted from 1.
        line: usize,
        /// The row's columns; 0 for a blank line.
        found: usize,
        /// The header's columns.
        expected: usize,
    },
    /// Too many rows have a wrong number of columns for them to be the known broken ones.
    #[error(
        "{}:{line}: {broken} of {rows} rows have a wrong number of columns, expected at most 1 % (the first has {found}, \
         the header {expected})",
        path.display()
    )]
    BrokenRows {
        /// The file.
        path: PathBuf,
        /// The first such row's line, counted from 1.
        line: usize,
        /// How many rows are broken.
        broken: usize,
        /// How many rows there are.
        rows: usize,
        /// The first such row's columns; 0 for a blank line.
        found: usize,
        /// The header's columns.
        expected: usize,
    },
    /// The first line is neither a header nor a row of a file without one.
    #[error(
        "{}:1: found {found} columns, expected {kind}'s {} ({}) or the header {}",
        path.display(), expected.len(), expected.join(", "), header.join(", ")
    )]
    FirstLine {
        /// The file.
        path: PathBuf,
        /// The line's columns; 0 for a blank line.
        found: usize,
        /// What the file should be.
        kind: &'static str,
        /// The columns of a file without a header.
        expected: &'static [&'static str],
        /// The header of a file with one.
        header: Vec<&'static str>,
    },
    /// A row's label is none of the known ones.
    #[error("{}:{line}: label: found {}, expected one of {}", path.display(), quoted(found), list(expected))]
    UnknownLabel {
        /// The file.
        path: PathBuf,
        /// The line where the row starts, counted from 1.
        line: usize,
        /// What stands there.
        found: String,
        /// The labels.
        expected: &'static [&'static str],
    },
    /// A table of choices has a column for an ending that is too many.
    #[error("{}:{line}: found the column ending{found}, expected at most ending{most}", path.display())]
    TooManyEndings {
        /// The file.
        path: PathBuf,
        /// The header's line, counted from 1.
        line: usize,
        /// The greatest number of an ending.
        found: usize,
        /// The greatest that there may be.
        most: usize,
    },
    /// Too few or too many columns of endings are named.
    #[error("{}: found {found} columns of endings named, expected 2 to 26", path.display())]
    EndingColumns {
        /// The file.
        path: PathBuf,
        /// How many are named.
        found: usize,
    },
    /// A row has fewer endings than the header.
    #[error("{}:{line}: {column}: found {}, expected a text, as all rows have {endings} endings", path.display(), quoted(found))]
    BlankEnding {
        /// The file.
        path: PathBuf,
        /// The line where the row starts, counted from 1.
        line: usize,
        /// The ending's column.
        column: String,
        /// What stands there.
        found: String,
        /// The header's endings.
        endings: usize,
    },
    /// A column that says whether a row has a label says something else.
    #[error("{}:{line}: {column}: found {}, expected 1 for a row that has this label, or 0", path.display(), quoted(found))]
    Mark {
        /// The file.
        path: PathBuf,
        /// The line where the row starts, counted from 1.
        line: usize,
        /// The label's column.
        column: String,
        /// What stands there.
        found: String,
    },
    /// A row's label is blank.
    #[error("{}:{line}: label: found {}, expected a label", path.display(), quoted(found))]
    BlankLabel {
        /// The file.
        path: PathBuf,
        /// The line where the row starts, counted from 1.
        line: usize,
        /// What stands there.
        found: String,
    },
    /// A row's score is not a number of the scale.
    #[error("{}:{line}: score: found {}, expected a number from 0 to 5", path.display(), quoted(found))]
    Score {
        /// The file.
        path: PathBuf,
        /// The line where the row starts, counted from 1.
        line: usize,
        /// What stands there.
        found: String,
    },
    /// A quoted field is still open at the end of the file.
    #[error(
        "{}:{line}: found a quote that never closes, expected a closing quote before the end of the file",
        path.display()
    )]
    UnclosedQuote {
        /// The file.
        path: PathBuf,
        /// The line where the field starts, counted from 1.
        line: usize,
    },
    /// A quoted field goes on after its closing quote: a quote is missing, too many or not doubled.
    #[error(
        "{}:{line}: found text after the closing quote of a field, expected the field to end there",
        path.display()
    )]
    TextAfterQuote {
        /// The file.
        path: PathBuf,
        /// The line where the field starts, counted from 1.
        line: usize,
    },
    /// No row is left to use.
    #[error("{}: found no usable row, expected at least one row", path.display())]
    NoRows {
        /// The file.
        path: PathBuf,
    },
}

/// Most columns that a message repeats: MNLI's development files have 16.
const MAX_LISTED: usize = 20;

fn list(values: &[impl AsRef<str>]) -> String {
    if values.is_empty() {
        return "none".to_owned();
    }
    let mut shown: Vec<String> = values
        .iter()
        .take(MAX_LISTED)
        .map(|it| quoted(it.as_ref()))
        .collect();
    if values.len() > MAX_LISTED {
        shown.push(format!("… ({} in all)", values.len()));
    }
    shown.join(", ")
}

impl DatasetError {
    /// The error of a text that is one line of a file: the line that it names is the file's.
    pub(crate) fn on_line(mut self, number: usize) -> Self {
        if let Self::Syntax { line, .. } | Self::Shape { line, .. } = &mut self {
            *line = number;
        }
        self
    }
}
