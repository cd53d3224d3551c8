//! Renames that last, and renames that are taken back.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    FileError,
    folders::{folder_of, sync_folder},
};

/// Gives a synced file its name, and makes the name durable.
///
/// # Errors
///
/// Fails where the file cannot be renamed or the folder cannot be synced; the error names `to`.
pub fn rename_durably(from: &Path, to: &Path) -> Result<(), FileError> {
    fs::rename(from, to)
        .and_then(|()| sync_folder(folder_of(to)))
        .map_err(FileError::write(to))
}

/// Renames that [`undo`](Self::undo) takes back when one of them, or what follows, fails.
#[derive(Debug, Default)]
pub struct Renames {
    done: Vec<(PathBuf, PathBuf)>,
}

impl Renames {
    /// Renames `from` to `to`.
    ///
    /// # Errors
    ///
    /// Fails where the operating system refuses.
    pub fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)?;
        self.done.push((from.to_owned(), to.to_owned()));
        Ok(())
    }

    /// Takes every rename back, the last one first.
    pub fn undo(self) {
        for (from, to) in self.done.into_iter().rev() {
            // The caller reports the failure that led here. A second one stops nothing: the others may still succeed.
            let _ = fs::rename(to, from);
        }
    }
}
