//! The crate as a run uses it, on real folders.

mod killed;
mod lock;
mod waiting;

use std::path::Path;

/// The names in a folder, in order.
fn names(folder: &Path) -> Vec<String> {
    let entries = bert_files::entries(folder).expect("the folder is there");
    let names = entries.into_iter();
    names
        .map(|(name, _)| name.to_string_lossy().into_owned())
        .collect()
}
