//! Folders of run states: found and deleted.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::RecordError;

/// Whether there is a folder, or a link to one, at a path.
pub(crate) fn is_folder(path: &Path) -> Result<bool, RecordError> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(metadata.is_dir()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(RecordError::ReadRunState {
            path: path.to_owned(),
            source,
        }),
    }
}

/// Deletes a file, a link (not what it leads to) or a folder with all that is in it; one that is not there is fine.
pub(crate) fn delete(path: &Path) -> io::Result<()> {
    let deleted = fs::symlink_metadata(path).and_then(|metadata| {
        if metadata.is_dir() {
            fs::remove_dir_all(path)
        } else {
            fs::remove_file(path)
        }
    });
    match deleted {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// A new folder that is gone, with what is in it, when this is dropped; unless it has been renamed by then.
#[derive(Debug)]
pub(crate) struct TemporaryFolder {
    path: PathBuf,
}

impl TemporaryFolder {
    pub(crate) fn create(path: PathBuf) -> io::Result<Self> {
        fs::create_dir(&path)?;
        Ok(Self { path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        // What cannot be deleted now is tidied up by the next `open`; the error that led here counts more.
        let _ = delete(&self.path);
    }
}
