//! Small run states and what is in a folder.

use std::{fs, num::NonZeroUsize, path::Path};

use bert_records::{RecordError, RunStateStore};

/// Opens a store that keeps `keep_last` run states.
pub(crate) fn open(dir: &Path, keep_last: usize) -> RunStateStore {
    let keep_last = NonZeroUsize::new(keep_last).expect("at least one is kept");
    RunStateStore::open(dir, keep_last).expect("it opens")
}

/// The files of a small run state: one that tells the step, and an empty one.
pub(crate) fn fill(folder: &Path, step: u64) -> Result<(), RecordError> {
    fs::write(folder.join("state.txt"), format!("step {step}")).expect("it is written");
    fs::write(folder.join("empty"), "").expect("it is written");
    Ok(())
}

/// Writes a small run state.
pub(crate) fn write(store: &RunStateStore, step: u64, protected: &[u64]) {
    let path = store
        .write(step, protected, |folder| fill(folder, step))
        .expect("it is written");
    assert_eq!(path, store.path(step));
}

/// What a run state's file says.
pub(crate) fn state(store: &RunStateStore, step: u64) -> String {
    fs::read_to_string(store.path(step).join("state.txt")).expect("it is there")
}

/// The names in a folder, in order.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| {
            let name = entry.expect("an entry").file_name();
            name.to_string_lossy().into_owned()
        })
        .collect();
    names.sort();
    names
}
