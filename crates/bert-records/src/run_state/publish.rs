//! The moment a run state gets its name.

use std::path::{Path, PathBuf};

use bert_files::{Renames, sync_folder};

use super::{
    folders::{delete, is_folder},
    names::{Hidden, hidden_name, run_state_name},
};
use crate::RecordError;

/// The steps that a new run state makes superfluous, and when they go.
#[derive(Debug)]
pub(crate) enum Surplus {
    /// Before the new one has its name: others are kept, and there must never be too many.
    Before(Vec<u64>),
    /// After it: no others are kept, and there must never be none.
    After(Vec<u64>),
}

/// Gives a sealed folder its name in `dir`, in place of a run state of that step, and deletes the surplus.
///
/// After a failure every run state has the name it had before.
pub(crate) fn publish(
    dir: &Path,
    folder: &Path,
    step: u64,
    surplus: &Surplus,
) -> Result<(), RecordError> {
    let mut renames = Renames::default();
    match exchange(dir, folder, step, surplus, &mut renames) {
        Ok(superseded) => {
            for path in superseded {
                // The run state is written all the same, and the next `open` tries again.
                let _ = delete(&path);
            }
            Ok(())
        }
        Err(error) => {
            renames.undo();
            Err(error)
        }
    }
}

/// Makes the renames and returns the folders that are run states no longer. Nothing is deleted before the new
/// run state's name is synced.
fn exchange(
    dir: &Path,
    folder: &Path,
    step: u64,
    surplus: &Surplus,
    renames: &mut Renames,
) -> Result<Vec<PathBuf>, RecordError> {
    let target = dir.join(run_state_name(step));
    let write_error = |source| RecordError::WriteRunState {
        path: target.clone(),
        source,
    };
    let mut superseded = Vec::new();
    if let Surplus::Before(steps) = surplus {
        superseded.extend(take_away(dir, steps, renames)?);
    }
    if is_folder(&target)? {
        let away = dir.join(hidden_name(Hidden::Replaced, step));
        renames.rename(&target, &away).map_err(write_error)?;
        superseded.push(away);
    }
    renames
        .rename(folder, &target)
        .and_then(|()| sync_folder(dir))
        .map_err(write_error)?;
    if let Surplus::After(steps) = surplus {
        superseded.extend(take_away(dir, steps, renames)?);
        sync_folder(dir).map_err(write_error)?;
    }
    Ok(superseded)
}

fn take_away(
    dir: &Path,
    steps: &[u64],
    renames: &mut Renames,
) -> Result<Vec<PathBuf>, RecordError> {
    let mut taken = Vec::with_capacity(steps.len());
    for &step in steps {
        let path = dir.join(run_state_name(step));
        let away = dir.join(hidden_name(Hidden::Removing, step));
        match renames.rename(&path, &away) {
            Ok(()) => taken.push(away),
            Err(source) => return Err(RecordError::RemoveRunState { path, source }),
        }
    }
    Ok(taken)
}
