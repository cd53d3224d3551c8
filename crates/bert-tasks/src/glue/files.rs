//! Which files of a folder are a task's.

use std::path::{Path, PathBuf};

use bert_datasets::glue::GlueTask;

use super::TextTask;
use crate::TaskError;

/// The files of one task.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GlueFiles {
    /// `None`: predict only.
    pub train: Option<PathBuf>,
    /// The files that are scored.
    pub dev: Vec<PathBuf>,
    /// The files that are predicted.
    pub test: Vec<PathBuf>,
}

/// Whether a folder has the files that a command needs which trains, or else predicts only.
pub fn has_files(dir: &Path, task: &GlueTask, trains: bool) -> bool {
    let is_there = |name: &str| dir.join(name).exists();
    if trains {
        return is_there(task.train_file);
    }
    let tests = task.test_files.iter().map(|test| test.file);
    dev_files(task).chain(tests).any(is_there)
}

fn dev_files(task: &GlueTask) -> impl Iterator<Item = &'static str> {
    task.dev_files.iter().map(|dev| dev.file)
}

/// The files of a task in its folder, or in that folder's parent.
///
/// # Errors
/// When there are none.
pub fn task_files(dir: &Path, task: TextTask) -> Result<GlueFiles, TaskError> {
    let TextTask::Glue(task) = task else {
        return table_files(dir);
    };
    let in_folder = |dir: &Path| {
        let existing = |name: &str| Some(dir.join(name)).filter(|path| path.exists());
        GlueFiles {
            train: existing(task.train_file),
            dev: dev_files(task).filter_map(existing).collect(),
            test: task
                .test_files
                .iter()
                .filter_map(|test| existing(test.file))
                .collect(),
        }
    };
    // The task's own folder first: a parent may hold files of the same names.
    for dir in [dir.join(task.folder), dir.to_owned()] {
        let files = in_folder(&dir);
        if files.train.is_some() || !files.dev.is_empty() || !files.test.is_empty() {
            return Ok(files);
        }
    }
    Err(TaskError::Files {
        path: dir.to_owned(),
        found: format!(
            "neither {} nor {} here or in {}",
            task.train_file,
            dev_files(task).collect::<Vec<_>>().join(", "),
            task.folder
        ),
        expected: format!("the files of {task}"),
    })
}

/// What the name of a table of a user's own may end in, each perhaps with `.gz` behind it.
const ENDINGS: [&str; 5] = ["csv", "tsv", "jsonl", "json", "parquet"];

/// A folder of a user's own: `train`, `dev` and `test`, each with one of [`ENDINGS`].
fn table_files(dir: &Path) -> Result<GlueFiles, TaskError> {
    let existing = |stem: &str| {
        let plain = ENDINGS.iter().map(|ending| format!("{stem}.{ending}"));
        plain
            .flat_map(|name| [name.clone(), name + ".gz"])
            .map(|name| dir.join(name))
            .find(|path| path.exists())
    };
    let files = GlueFiles {
        train: existing("train"),
        dev: existing("dev").into_iter().collect(),
        test: existing("test").into_iter().collect(),
    };
    if files.train.is_none() && files.dev.is_empty() && files.test.is_empty() {
        return Err(TaskError::Files {
            path: dir.to_owned(),
            found: "none of train.csv, dev.csv and test.csv (or .tsv, .jsonl, .json, .parquet)"
                .to_owned(),
            expected: "at least one".to_owned(),
        });
    }
    Ok(files)
}
