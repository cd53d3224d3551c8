//! The folder of a run's run states.

use std::{
    cmp::Reverse,
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use bert_files::{create_folder, entries, sync_folder};

use super::{
    checksums,
    folders::{TemporaryFolder, delete, is_folder},
    names::{Hidden, hidden_name, is_hidden, run_state_name, step_of_name, step_of_replaced},
    publish::{Surplus, publish},
};
use crate::RecordError;

/// The run states of a run, of which the newest few are kept.
#[derive(Debug, Clone)]
pub struct RunStateStore {
    dir: PathBuf,
    keep_last: NonZeroUsize,
}

/// What [`RunStateStore::newest_intact`] finds.
#[derive(Debug)]
pub struct NewestIntact {
    /// The step of the newest run state that is as it was written, if there is one.
    pub step: Option<u64>,
    /// The steps above that one, the newest first, and why each is not to be used.
    pub damaged: Vec<(u64, RecordError)>,
}

impl RunStateStore {
    /// Opens `dir`, making it where needed, and tidies up after an interrupted run.
    ///
    /// Every entry of a temporary name is deleted, with one exception: a run state that was to be replaced by
    /// another of its step gets its name back when it is intact and the other one never came.
    ///
    /// # Errors
    ///
    /// Fails where the folder cannot be made or listed, and where what is left over can be neither deleted nor renamed.
    pub fn open(dir: &Path, keep_last: NonZeroUsize) -> Result<Self, RecordError> {
        create_folder(dir)?;
        for (name, path) in entries(dir)? {
            if !is_hidden(&name) {
                continue;
            }
            let home = step_of_replaced(&name).map(|step| dir.join(run_state_name(step)));
            let tidied = match home {
                Some(home) if !is_folder(&home)? && checksums::check(&path).is_ok() => {
                    fs::rename(&path, &home).and_then(|()| sync_folder(dir))
                }
                _ => delete(&path),
            };
            tidied.map_err(|source| RecordError::TidyUp { path, source })?;
        }
        Ok(Self::opened_elsewhere(dir, keep_last))
    }

    /// The store in a folder that another process has [opened](Self::open): nothing is made or tidied.
    #[must_use]
    pub fn opened_elsewhere(dir: &Path, keep_last: NonZeroUsize) -> Self {
        Self {
            dir: dir.to_owned(),
            keep_last,
        }
    }

    /// The folder of the run states.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The folder of one run state, there or not: `dir/step-00000100`.
    #[must_use]
    pub fn path(&self, step: u64) -> PathBuf {
        self.dir.join(run_state_name(step))
    }

    /// The steps of the run states that are there, ascending. Entries of other names are not looked at.
    ///
    /// # Errors
    ///
    /// Fails where the folder cannot be listed.
    pub fn steps(&self) -> Result<Vec<u64>, RecordError> {
        steps_in(&self.dir)
    }

    /// Writes the run state of `step`: `fill` writes its files into the empty folder it is given.
    ///
    /// They are hashed and synced, and the folder gets its name, replacing a run state of that step, only when it is
    /// whole. This one and the newest below it are kept, `keep_last` in all, and besides them those of `protected`,
    /// which do not count. Steps above this one are of a run that this one does not continue: they go first. What goes
    /// is taken away before this one gets its name, so that there are never more; only where a single one is kept does
    /// the old one stay until the new one is there.
    ///
    /// After a failure, of `fill` or otherwise, the run states are those of before.
    ///
    /// # Errors
    ///
    /// Fails where `fill` does, where it leaves anything but plain files with names in UTF-8 or a file named
    /// `checksums.json`, and where a file or folder cannot be written, synced or renamed.
    pub fn write<E: From<RecordError>>(
        &self,
        step: u64,
        protected: &[u64],
        fill: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<PathBuf, E> {
        let target = self.path(step);
        let folder = TemporaryFolder::create(self.dir.join(hidden_name(Hidden::Writing, step)))
            .map_err(|source| RecordError::WriteRunState {
                path: target.clone(),
                source,
            })?;
        fill(folder.path())?;
        checksums::seal(folder.path(), &target)?;
        let surplus = self.surplus(step, protected)?;
        publish(&self.dir, folder.path(), step, &surplus)?;
        Ok(target)
    }

    /// Checks that a run state holds the files of its `checksums.json`, of the sizes and SHA-256 there.
    ///
    /// # Errors
    ///
    /// Fails where it does not, and where the run state is not there or cannot be read.
    pub fn verify(&self, step: u64) -> Result<(), RecordError> {
        checksums::check(&self.path(step))
    }

    /// The newest run state that [`verify`](Self::verify) has nothing against, and what it has against newer ones.
    ///
    /// A damaged run state counts among the kept ones until it is removed or replaced.
    ///
    /// # Errors
    ///
    /// Fails where the folder cannot be listed.
    pub fn newest_intact(&self) -> Result<NewestIntact, RecordError> {
        let mut damaged = Vec::new();
        for step in self.steps()?.into_iter().rev() {
            match self.verify(step) {
                Ok(()) => {
                    return Ok(NewestIntact {
                        step: Some(step),
                        damaged,
                    });
                }
                Err(error) => damaged.push((step, error)),
            }
        }
        Ok(NewestIntact {
            step: None,
            damaged,
        })
    }

    /// Removes a run state. It loses its name first, so that being killed leaves no half of it under that name.
    ///
    /// # Errors
    ///
    /// Fails where the run state is not there or cannot be renamed.
    pub fn remove(&self, step: u64) -> Result<(), RecordError> {
        let away = set_aside(&self.dir, step)?;
        // It is no run state any more; the next `open` tries again.
        let _ = delete(&away);
        Ok(())
    }

    /// The steps of the run states in `dir`, ascending, without tidying it up.
    ///
    /// # Errors
    ///
    /// Fails where the folder cannot be listed.
    pub fn list(dir: &Path) -> Result<Vec<u64>, RecordError> {
        steps_in(dir)
    }

    /// Removes every run state in `dir`, what an interrupted run left, and then `dir` itself unless more is in it.
    ///
    /// A folder that is not there is fine.
    ///
    /// # Errors
    ///
    /// Fails where something of that cannot be removed.
    pub fn clear(dir: &Path) -> Result<(), RecordError> {
        if !is_folder(dir)? {
            return Ok(());
        }
        for step in steps_in(dir)? {
            set_aside(dir, step)?;
        }
        let remove_error = |path: PathBuf| |source| RecordError::RemoveRunState { path, source };
        let mut is_empty = true;
        for (name, path) in entries(dir)? {
            if is_hidden(&name) {
                delete(&path).map_err(remove_error(path))?;
            } else {
                is_empty = false;
            }
        }
        // A link to another disk stays.
        if is_empty && !dir.is_symlink() {
            fs::remove_dir(dir).map_err(remove_error(dir.to_owned()))?;
        }
        Ok(())
    }

    /// The steps that are too many once `step` is written, the oldest first.
    fn surplus(&self, step: u64, protected: &[u64]) -> Result<Surplus, RecordError> {
        let mut others = self.steps()?;
        others.retain(|other| *other != step && !protected.contains(other));
        others.sort_by_key(|&other| (other > step, Reverse(other)));
        // `step` is one of the kept.
        let others_kept = self.keep_last.get() - 1;
        let mut steps = others.split_off(others.len().min(others_kept));
        steps.reverse();
        Ok(if others_kept > 0 {
            Surplus::Before(steps)
        } else {
            Surplus::After(steps)
        })
    }
}

/// Takes a run state's name away for good, and says where it now is.
fn set_aside(dir: &Path, step: u64) -> Result<PathBuf, RecordError> {
    let path = dir.join(run_state_name(step));
    let away = dir.join(hidden_name(Hidden::Removing, step));
    match fs::rename(&path, &away).and_then(|()| sync_folder(dir)) {
        Ok(()) => Ok(away),
        Err(source) => Err(RecordError::RemoveRunState { path, source }),
    }
}

fn steps_in(dir: &Path) -> Result<Vec<u64>, RecordError> {
    let mut steps = Vec::new();
    for (name, path) in entries(dir)? {
        if let Some(step) = step_of_name(&name)
            // Only what is surely something else is left out. One that cannot be looked at is a matter for `verify`,
            // and without one that has just been superseded a listing could show neither it nor its successor.
            && fs::metadata(&path).map_or(true, |metadata| metadata.is_dir())
        {
            steps.push(step);
        }
    }
    // By name they are in order only as long as all have eight digits.
    steps.sort_unstable();
    Ok(steps)
}
