//! Folders that a command names, looked at before anything is done.

use std::path::{Path, PathBuf};

use bert_hub::Reference;

use crate::config::check_downloaded;
use crate::exit::bad_usage;
use crate::hub;

/// The folder of a checkpoint: the one that is named, or that of a model of the Hugging Face hub, which is fetched if the
/// cache does not hold it. [`Reference::parse`] decides which is meant.
///
/// # Errors
/// When there is neither.
pub(crate) fn checkpoint_dir(path: &Path) -> anyhow::Result<PathBuf> {
    match Reference::parse(path)? {
        Reference::Local(dir) if dir.is_dir() => Ok(dir),
        Reference::Local(file) => bad_usage!(
            "{}: found a file, expected a checkpoint's folder",
            file.display()
        ),
        Reference::Hub(name) => hub::model(&name).map_err(|error| {
            let message = format!("{}: found no such folder, and {error}", path.display());
            error.context(message)
        }),
    }
}

/// Checks that input files are there, before a model is fetched.
///
/// # Errors
/// When one is not.
pub(crate) fn check_inputs<'a>(files: impl IntoIterator<Item = &'a PathBuf>) -> anyhow::Result<()> {
    for file in files {
        check_downloaded(file)?;
        if !file.exists() {
            bad_usage!("{}: no such file", file.display());
        }
    }
    Ok(())
}

/// Checks that a folder of data is there.
///
/// # Errors
/// When it is not.
pub(super) fn data_dir(path: &Path) -> anyhow::Result<&Path> {
    check_downloaded(path)?;
    if !path.is_dir() {
        let found = if path.exists() {
            "a file"
        } else {
            "no such folder"
        };
        bad_usage!(
            "--data-dir {}: found {found}, expected the folder of the data files",
            path.display()
        );
    }
    Ok(path)
}
