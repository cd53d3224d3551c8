//! Folders that a command names, looked at before anything is done.

use std::path::{Path, PathBuf};

use crate::config::check_downloaded;
use crate::exit::bad_usage;
use crate::hub;

/// The folder of a checkpoint: the one that is named, or that of a model of the Hugging Face hub, which is fetched where it
/// is not at hand.
///
/// # Errors
/// When there is neither.
pub(crate) fn checkpoint_dir(path: &Path) -> anyhow::Result<PathBuf> {
    if path.is_file() {
        bad_usage!(
            "{}: found a file, expected a checkpoint's folder",
            path.display()
        );
    }
    if path.is_dir() {
        return Ok(path.to_owned());
    }
    let Some(name) = hub::model_name(path) else {
        bad_usage!(
            "{}: found no such folder, expected a checkpoint with config.json, vocab.txt or tokenizer.json, and \
             model.safetensors or pytorch_model.bin, or a name on the Hugging Face hub, as bert-base-uncased",
            path.display()
        );
    };
    let fetched = hub::model(&name);
    fetched.map_err(|error| {
        let message = format!("{}: found no such folder, and {error}", path.display());
        error.context(message)
    })
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
