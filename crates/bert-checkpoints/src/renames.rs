//! Renames that are taken back when one of them, or what follows, fails.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The renames made so far.
#[derive(Debug, Default)]
pub(crate) struct Renames {
    done: Vec<(PathBuf, PathBuf)>,
}

impl Renames {
    /// Renames `from` to `to`.
    pub(crate) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)?;
        self.done.push((from.to_owned(), to.to_owned()));
        Ok(())
    }

    /// Takes everything back, the last rename first.
    pub(crate) fn undo(self) {
        for (from, to) in self.done.into_iter().rev() {
            // The caller reports the failure that led here. A second one stops nothing: the others may still succeed.
            let _ = fs::rename(to, from);
        }
    }
}
