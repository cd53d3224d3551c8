//! What is known of a GLUE task: the type of the table's rows, and how a name finds its row.

use std::fmt;
use std::str::FromStr;

use bert_metrics::Metric;
use thiserror::Error;

use super::TASKS;
use bert_files::quoted;

/// A task of GLUE (Wang et al. 2018) or of its layout: a row of [`TASKS`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GlueTask {
    /// The name on the command line and in a checkpoint's `finetuning_task`.
    pub name: &'static str,
    /// Other names by which it is found.
    pub aliases: &'static [&'static str],
    /// The folder of the GLUE download.
    pub folder: &'static str,
    /// The training set's file name.
    pub train_file: &'static str,
    /// The development sets.
    pub dev_files: &'static [GlueDevFile],
    /// The leaderboard's test sets.
    pub test_files: &'static [GlueTestFile],
    /// What the columns of its files are called.
    pub columns: GlueColumns,
    /// The labels as the files write them; none where the label is a score from 0 to 5. Their order is that of the 2018
    /// `run_classifier.py`, and of its Hugging Face port for the tasks that the script lacks.
    pub labels: &'static [&'static str],
    /// What `transformers` and its datasets call the same labels, in the same order.
    pub label_names: &'static [&'static str],
    /// Whether a checkpoint that calls its classes `LABEL_0`, `LABEL_1` and so on numbers them in the order of `labels`.
    pub unnamed_labels_are_in_order: bool,
    /// What a file writes where the annotators did not agree; such rows are left out.
    pub no_gold_label: Option<&'static str>,
    /// Whether the official labelled files have rows with a wrong number of columns; such rows are left out.
    pub has_broken_rows: bool,
    /// Its official scores.
    pub metric: Metric,
    /// Where its files are published; `None` where `bert download` cannot fetch them.
    pub download: Option<GlueDownload>,
}

/// A development set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GlueDevFile {
    /// The file's name in the task's folder.
    pub file: &'static str,
    /// What the keys of its scores end with; nothing for a task's first set.
    pub suffix: &'static str,
    /// What a table calls its first score; `None`: by the metric.
    pub score_name: Option<&'static str>,
}

/// A test set of the leaderboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GlueTestFile {
    /// The file's name in the task's folder.
    pub file: &'static str,
    /// The name that the leaderboard wants for its predictions.
    pub submission: &'static str,
}

/// The columns that are read. A file may have others, in any order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GlueColumns {
    /// The text.
    pub text_a: &'static str,
    /// The second text; `None` for a task of single sentences.
    pub text_b: Option<&'static str>,
    /// The label. A file without the column is unlabelled.
    pub label: &'static str,
    /// The index by which the leaderboard knows a row; a file may lack the column.
    pub index: &'static str,
    /// The columns of the files that have no header; none where every file has one. A first line of exactly
    /// `index`, `text_a` and `text_b` is a header all the same.
    pub without_header: &'static [&'static str],
}

/// Where a task's files are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GlueDownload {
    /// A zip archive of its folder.
    Archive(GlueSource),
    /// MRPC, which GLUE may not pass on: its files are made of the original ones (Dolan and Brockett 2005).
    Paraphrases {
        /// The original training set, which the development set is taken out of.
        train: GlueSource,
        /// The original test set.
        test: GlueSource,
        /// The pairs of ids that make up the development set.
        dev_ids: GlueSource,
    },
}

/// A published file, with the checksum that Hugging Face's `datasets` 1.x and 2.x published in `dataset_infos.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GlueSource {
    /// Its address.
    pub url: &'static str,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its SHA-256 in lower-case hexadecimal digits.
    pub sha256: &'static str,
}

impl GlueTask {
    /// Whether the label is a score, not a class.
    #[must_use]
    pub fn is_regression(&self) -> bool {
        self.metric.is_of_scores()
    }

    /// Whether an example has two texts.
    #[must_use]
    pub fn is_pair(&self) -> bool {
        self.columns.text_b.is_some()
    }
}

impl fmt::Display for GlueTask {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name)
    }
}

/// A name that is no task's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("found {}, expected one of {}", quoted(found), names())]
pub struct UnknownGlueTask {
    /// The name.
    pub found: String,
}

fn names() -> String {
    let names: Vec<&str> = TASKS.iter().map(|task| task.name).collect();
    names.join(", ")
}

impl FromStr for &'static GlueTask {
    type Err = UnknownGlueTask;

    /// Takes a task's name or one of its aliases, in any case.
    fn from_str(found: &str) -> Result<Self, UnknownGlueTask> {
        TASKS
            .iter()
            .find(|task| {
                let mut names = std::iter::once(&task.name).chain(task.aliases);
                names.any(|name| name.eq_ignore_ascii_case(found))
            })
            .ok_or_else(|| UnknownGlueTask {
                found: found.to_owned(),
            })
    }
}
