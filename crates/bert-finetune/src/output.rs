//! The folder a run writes into: whose it is, and what an earlier run left in it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bert_files::{FolderLock, create_folder};
use bert_records::{RunRecord, RunStateStore};
use bert_tasks::Family;
use tracing::{info, warn};

use crate::FinetuneError;
use crate::tracker::{EVENTS, METRICS};

/// Files of a run, whatever the family, besides its record and its logs.
const RESULTS: [&str; 6] = [
    "model.safetensors",
    "seeds.json",
    "eval_results.txt",
    "eval_results.json",
    "report.json",
    "report.html",
];
/// What a sweep leaves in the folder above its runs.
pub(crate) const SWEEP: [&str; 3] = ["sweep.json", "sweep.txt", "sweep.html"];
/// What else a model's folder holds: a new one's would stand beside it, or in its place.
const MODEL: [&str; 5] = [
    "config.json",
    "pytorch_model.bin",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
];
/// Scores of an earlier run.
pub const SCORES: [&str; 2] = ["eval_results.txt", "eval_results.json"];
/// The folder of a run's checkpoints.
pub(crate) const CHECKPOINTS: &str = "checkpoints";
/// What the names of TensorBoard's event files begin with.
const EVENT_FILE: &str = "events.out.tfevents.";

/// What is in a folder, by one of its names, that a new run would remove or replace.
///
/// # Errors
/// When the folder cannot be read.
pub(crate) fn earlier_results<F: Family>(dir: &Path) -> Result<Option<String>, FinetuneError> {
    let files = RESULTS
        .into_iter()
        .chain(["run.json", "glue_results.json", METRICS]);
    let files = files.chain(F::predictions()).chain(MODEL);
    let mut files = files.chain(SWEEP);
    if let Some(file) = files.find(|file| dir.join(file).exists()) {
        return Ok(Some(file.to_owned()));
    }
    let checkpoints = dir.join(CHECKPOINTS);
    if checkpoints.is_dir() && !RunStateStore::list(&checkpoints)?.is_empty() {
        return Ok(Some(CHECKPOINTS.to_owned()));
    }
    Ok((!event_files(dir)?.is_empty()).then(|| EVENTS.to_owned()))
}

fn event_files(dir: &Path) -> Result<Vec<PathBuf>, FinetuneError> {
    let dir = dir.join(EVENTS);
    let entries = match fs::read_dir(&dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.and_then(Iterator::collect::<io::Result<Vec<_>>>),
    };
    let entries = entries.map_err(FinetuneError::io(&dir, "cannot be read"))?;
    let is_ours = |name: &str| name.starts_with(EVENT_FILE);
    let ours = entries
        .into_iter()
        .filter(|entry| entry.file_name().to_str().is_some_and(is_ours));
    Ok(ours.map(|entry| entry.path()).collect())
}

/// A folder that belongs to this process while it is held.
pub struct OutputFolder {
    dir: PathBuf,
    /// Let go before an empty folder is removed.
    lock: Option<FolderLock>,
    is_new: bool,
}

impl OutputFolder {
    /// Makes the folder where it is not there, and locks it.
    ///
    /// # Errors
    /// When another process works in it, or it cannot be written.
    pub fn open(dir: &Path) -> Result<Self, FinetuneError> {
        let is_new = !dir.exists();
        create_folder(dir)?;
        let lock = FolderLock::acquire(dir)?;
        if !lock.is_held() {
            warn!(
                "{}: this file system has no locks; make sure that no other run writes here",
                dir.display()
            );
        }
        Ok(Self {
            dir: dir.to_owned(),
            lock: Some(lock),
            is_new,
        })
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where its checkpoints are.
    pub fn checkpoints(&self) -> PathBuf {
        self.dir.join(CHECKPOINTS)
    }

    /// Removes what a run that was killed left half-written.
    ///
    /// # Errors
    /// When the folder cannot be read, or something of that cannot be removed.
    pub fn remove_leftovers(&self) -> Result<(), FinetuneError> {
        for path in bert_files::remove_leftovers(&self.dir)? {
            info!(
                "{}: removed: a killed run had written a part of it",
                path.display()
            );
        }
        Ok(())
    }

    /// Makes the folder that of a new run: removes everything that an earlier one left, so that no file of it speaks
    /// of another model, and writes the record.
    ///
    /// # Errors
    /// When something is there and cannot be removed, or the record cannot be written.
    pub fn begin<F: Family>(&self, record: &RunRecord) -> Result<(), FinetuneError> {
        // In this order a kill leaves the earlier run's record, or the new one's and no run state: never a record
        // beside another run's states.
        RunStateStore::clear(&self.checkpoints())?;
        create_folder(&self.checkpoints())?;
        record.write(&self.dir)?;
        self.remove_results::<F>()
    }

    /// Removes everything that earlier runs left, their summary and record too.
    ///
    /// # Errors
    /// When something is there and cannot be removed.
    pub fn clear<F: Family>(&self) -> Result<(), FinetuneError> {
        RunStateStore::clear(&self.checkpoints())?;
        self.remove_results::<F>()?;
        let files = ["glue_results.json", "run.json"];
        remove_files(&self.dir, files.into_iter().chain(SWEEP))
    }

    fn remove_results<F: Family>(&self) -> Result<(), FinetuneError> {
        let files = RESULTS.into_iter().chain([METRICS]).chain(F::predictions());
        remove_files(&self.dir, files)?;
        bert_report::remove_card(&self.dir)?;
        for path in event_files(&self.dir)? {
            fs::remove_file(&path).map_err(FinetuneError::io(&path, "cannot be removed"))?;
        }
        Ok(())
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

/// A data file must not have the name of one of the results in the folder of the results.
///
/// # Errors
/// When one has.
pub fn check_inputs_are_no_outputs<F: Family>(family: &F, dir: &Path) -> Result<(), FinetuneError> {
    let results: Vec<&str> = SCORES.into_iter().chain(F::predictions()).collect();
    for path in family.data_files() {
        let parent = path.parent().unwrap_or(Path::new(""));
        let parent = if parent.as_os_str().is_empty() {
            Path::new(".")
        } else {
            parent
        };
        if is_same_folder(parent, dir)
            && path
                .file_name()
                .is_some_and(|name| results.iter().any(|it| name == *it))
        {
            return Err(FinetuneError::OutputDir {
                dir: dir.to_owned(),
                found: format!("that {} would be overwritten", path.display()),
                expected: "another folder".to_owned(),
            });
        }
    }
    Ok(())
}

/// Checks that an output folder is a folder, or can become one.
///
/// # Errors
/// When it, or what it is in, is a file.
pub fn check_is_folder(dir: &Path) -> Result<(), FinetuneError> {
    let existing = dir.ancestors().find(|path| path.exists());
    if let Some(file) = existing.filter(|path| !path.is_dir()) {
        return Err(FinetuneError::OutputDir {
            dir: dir.to_owned(),
            found: format!("the file {}", file.display()),
            expected: "a folder".to_owned(),
        });
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

/// Whether a path leads to a folder or to something in it.
pub(crate) fn is_within(path: &Path, dir: &Path) -> bool {
    match (path.canonicalize(), dir.canonicalize()) {
        (Ok(path), Ok(dir)) => path.starts_with(dir),
        _ => false,
    }
}

/// Removes files, where they are there.
///
/// # Errors
/// When one is there and cannot be removed.
fn remove_files<'a>(
    dir: &Path,
    files: impl IntoIterator<Item = &'a str>,
) -> Result<(), FinetuneError> {
    for file in files {
        let path = dir.join(file);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(FinetuneError::io(&path, "cannot be removed")(error));
            }
            _ => {}
        }
    }
    Ok(())
}
