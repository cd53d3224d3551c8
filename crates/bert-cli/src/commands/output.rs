//! The folder a run writes into: whose it is, and what an earlier run left in it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bert_checkpoints::{CheckpointStore, OutputLock};
use bert_report::create_dir;
use tracing::{info, warn};

use super::tracker::{EVENTS, METRICS};
use super::training::Family;
use crate::exit::bad_usage;

/// Files that say, whatever the family, that a folder holds an earlier run.
pub(crate) const EARLIER_RUN: [&str; 4] = [
    "run.json",
    "model.safetensors",
    "seeds.json",
    "glue_results.json",
];
/// Scores of an earlier run.
pub(crate) const SCORES: [&str; 2] = ["eval_results.txt", "eval_results.json"];
/// The folder of a run's checkpoints.
const CHECKPOINTS: &str = "checkpoints";

/// A folder that belongs to this process while it is held.
pub(crate) struct OutputFolder {
    dir: PathBuf,
    /// Let go before an empty folder is removed.
    lock: Option<OutputLock>,
    is_new: bool,
}

impl OutputFolder {
    /// Makes the folder where it is not there, locks it, and removes what a process that was killed left
    /// half-written.
    ///
    /// # Errors
    /// When another process works in it, or it cannot be written.
    pub(crate) fn open(dir: &Path) -> anyhow::Result<Self> {
        let is_new = !dir.exists();
        create_dir(dir)?;
        let lock = OutputLock::acquire(dir)?;
        if !lock.is_held() {
            warn!(
                "{}: this file system has no locks; make sure that no other run writes here",
                dir.display()
            );
        }
        let folder = Self {
            dir: dir.to_owned(),
            lock: Some(lock),
            is_new,
        };
        folder.remove_leftovers()?;
        Ok(folder)
    }

    /// The folder.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where its checkpoints are.
    pub(crate) fn checkpoints(&self) -> PathBuf {
        self.dir.join(CHECKPOINTS)
    }

    fn remove_leftovers(&self) -> anyhow::Result<()> {
        let fail = |error: io::Error| {
            anyhow::anyhow!("{}: cannot be tidied up: {error}", self.dir.display())
        };
        for entry in fs::read_dir(&self.dir).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let is_file = entry.file_type().map_err(fail)?.is_file();
            if is_file && is_leftover(&entry.file_name().to_string_lossy()) {
                fs::remove_file(entry.path()).map_err(fail)?;
                info!(
                    "{}: removed, half-written by a run that was killed",
                    entry.path().display()
                );
            }
        }
        Ok(())
    }

    /// Removes everything that an earlier run left, so that no file of the folder speaks of another model.
    ///
    /// # Errors
    /// When something is there and cannot be removed.
    pub(crate) fn clear<F: Family>(&self) -> anyhow::Result<()> {
        let files = ["run.json", "seeds.json", "model.safetensors", METRICS];
        let files = files.into_iter().chain(SCORES).chain(F::predictions());
        remove_files(&self.dir, files)?;
        CheckpointStore::clear(&self.checkpoints())?;
        let events = self.dir.join(EVENTS);
        match fs::remove_dir_all(&events) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                anyhow::bail!("{}: cannot be removed: {error}", events.display())
            }
            _ => Ok(()),
        }
    }
}

impl Drop for OutputFolder {
    /// A run that was refused leaves no empty folder behind.
    fn drop(&mut self) {
        self.lock = None;
        if self.is_new {
            // Fails where there is something in it, as it should.
            let _ = fs::remove_dir(&self.dir);
        }
    }
}

/// Whether a name is one that a file has while it is written: a dot first, and then what the writers of results,
/// tokenizers and weights add.
fn is_leftover(name: &str) -> bool {
    let Some(rest) = name.strip_prefix('.') else {
        return false;
    };
    rest.ends_with(".tmp")
        || rest.starts_with("tmp")
        || ["model.safetensors.", "config.json."]
            .iter()
            .any(|written| rest.starts_with(written))
}

/// A data file must not have the name of one of the results in the folder of the results.
///
/// # Errors
/// When one has.
pub(crate) fn check_inputs_are_no_outputs<F: Family>(family: &F, dir: &Path) -> anyhow::Result<()> {
    let results: Vec<&str> = SCORES.into_iter().chain(F::predictions()).collect();
    for path in family.data_files() {
        let parent = path.parent().unwrap_or(Path::new(""));
        let parent = match parent.as_os_str().is_empty() {
            true => Path::new("."),
            false => parent,
        };
        if is_same_folder(parent, dir)
            && path
                .file_name()
                .is_some_and(|name| results.iter().any(|it| name == *it))
        {
            bad_usage!(
                "--output-dir {}: found that {} would be overwritten, expected another folder",
                dir.display(),
                path.display()
            );
        }
    }
    Ok(())
}

/// Whether two paths lead to one folder.
pub(crate) fn is_same_folder(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

/// Removes files, where they are there.
///
/// # Errors
/// When one is there and cannot be removed.
pub(crate) fn remove_files<'a>(
    dir: &Path,
    files: impl IntoIterator<Item = &'a str>,
) -> anyhow::Result<()> {
    for file in files {
        let path = dir.join(file);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                anyhow::bail!("{}: cannot be removed: {error}", path.display());
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::is_leftover;

    #[test]
    fn only_the_names_of_files_being_written_are_leftovers() {
        for name in [".Ab3x9Z.tmp", ".tmpAb3x9Z", ".model.safetensors.Ab3x9Z"] {
            assert!(is_leftover(name), "{name}");
        }
        for name in [
            ".lock",
            ".gitignore",
            "notes.tmp",
            "model.safetensors",
            ".DS_Store",
        ] {
            assert!(!is_leftover(name), "{name}");
        }
    }
}
