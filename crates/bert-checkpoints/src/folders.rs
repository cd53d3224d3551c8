//! Folders: made, listed, synced and deleted.

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use crate::CheckpointError;

/// Makes a folder and those above it, and makes the names of the new ones durable.
pub(crate) fn create_folder(path: &Path) -> Result<(), CheckpointError> {
    let create = || {
        // An empty path is the current folder, which is there.
        let new: Vec<&Path> = path
            .ancestors()
            .take_while(|folder| !folder.as_os_str().is_empty() && !folder.is_dir())
            .collect();
        fs::create_dir_all(path)?;
        for folder in new {
            sync_folder(folder_of(folder))?;
        }
        Ok(())
    };
    create().map_err(|source| CheckpointError::CreateDir {
        path: path.to_owned(),
        source,
    })
}

/// The folder an entry's name is in.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Makes a folder's names durable. Elsewhere than on Unix a folder cannot be opened for that.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(path)?.sync_all()?;
    }
    Ok(())
}

/// The names and paths of a folder's entries, by name.
pub(crate) fn entries(folder: &Path) -> Result<Vec<(OsString, PathBuf)>, CheckpointError> {
    let list = || {
        fs::read_dir(folder)?
            .map(|entry| entry.map(|entry| (entry.file_name(), entry.path())))
            .collect::<io::Result<Vec<_>>>()
    };
    let mut entries = list().map_err(|source| CheckpointError::List {
        path: folder.to_owned(),
        source,
    })?;
    entries.sort();
    Ok(entries)
}

/// Whether there is a folder, or a link to one, at a path.
pub(crate) fn is_folder(path: &Path) -> Result<bool, CheckpointError> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(metadata.is_dir()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(CheckpointError::Read {
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
