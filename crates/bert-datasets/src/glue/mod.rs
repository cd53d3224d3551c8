//! GLUE TSV files (Wang et al. 2018), as the official download lays them out.
//!
//! They are not CSV: a line ends at a line feed and is split at tabs, and a quote is a character like any other.

mod file;
mod task;
mod tasks;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;

use crate::{DatasetError, text};

pub use task::{
    GlueColumns, GlueDevFile, GlueDownload, GlueSource, GlueTask, GlueTestFile, UnknownGlueTask,
};
pub use tasks::TASKS;

/// A GLUE file, in its own order.
#[derive(Debug, Clone, PartialEq)]
pub struct GlueDataset {
    /// The file's name without its ending: `train`, `dev`, `dev_matched`, `test` and so on.
    pub split: String,
    /// Every row that is not skipped.
    pub examples: Vec<GlueExample>,
    /// Whether the file has labels: then every example has one.
    pub labelled: bool,
    /// The rows that the official files are known to have wrong.
    pub skipped: Vec<SkippedRow>,
}

/// One sentence, or two.
#[derive(Debug, Clone, PartialEq)]
pub struct GlueExample {
    /// The row, counted from 0 without the header; skipped rows count.
    pub row: usize,
    /// The text, as written; it may be empty.
    pub text_a: String,
    /// The second text; `None` for the tasks of one sentence.
    pub text_b: Option<String>,
    /// The label; `None` in an unlabelled file.
    pub label: Option<GlueLabel>,
    /// The `index` column (QQP's `id`), by which the leaderboard knows the row; `None` where the file has none.
    pub index: Option<String>,
}

/// What an example is labelled with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum GlueLabel {
    /// Index into the task's [`labels`](GlueTask::labels).
    Class(usize),
    /// STS-B's similarity, 0 to 5.
    Score(f64),
}

/// A row that is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SkippedRow {
    /// The row's line, counted from 1.
    pub line: usize,
    /// Why it is left out.
    pub reason: SkipReason,
}

/// Why a row is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkipReason {
    /// The row has a wrong number of columns: some questions of QQP hold line breaks.
    ColumnCount {
        /// The row's columns; 0 for a blank line.
        found: usize,
        /// The header's columns.
        expected: usize,
    },
    /// The annotators did not agree.
    NoGoldLabel {
        /// What the file writes instead of a label.
        found: &'static str,
    },
}

impl fmt::Display for SkipReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ColumnCount { found, expected } => {
                write!(formatter, "found {found} columns, expected {expected}")
            }
            Self::NoGoldLabel { found } => write!(formatter, "no gold label ({found:?})"),
        }
    }
}

/// Reads and validates a file of a task. Columns are found by their names, and a file without a label column is
/// unlabelled. Rows that the official files are known to have wrong are left out and listed. Blank lines at the end
/// are no rows.
///
/// # Errors
///
/// Fails where the file cannot be read, is not UTF-8, lacks a column or has it twice, has no rows, has a row with more
/// or fewer columns than the header, or a label that is none of the task's. Where the task
/// [has broken rows](GlueTask::has_broken_rows), rows with a wrong number of columns fail only where they are more
/// than three and more than one in a hundred.
pub fn read(task: &GlueTask, path: &Path) -> Result<GlueDataset, DatasetError> {
    parse(task, path, &text::read(path)?)
}

/// Validates the bytes of a file of a task; `name` is the file's name in errors and gives the split.
///
/// # Errors
///
/// As [`read`], without those of the file system.
pub fn parse(task: &GlueTask, name: &Path, bytes: &[u8]) -> Result<GlueDataset, DatasetError> {
    file::parse(task, name, bert_files::decode(name, bytes)?)
}
