//! Files that are there whole or not at all, with the errors of this crate.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use bert_files::{StagedFile, rename_durably, write_atomically};

use crate::HubError;

/// A name beside `path` that no other process and no other thread uses, for a download that no lock protects.
pub(crate) fn unlocked(path: &Path, ending: &str) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    with_ending(path, &format!(".{}-{count}{ending}", process::id()))
}

/// The path with more at its end: `a/b.c` and `.d` give `a/b.c.d`.
pub(crate) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

/// Makes a folder, and those above it.
pub(crate) fn make_folder(path: &Path) -> Result<(), HubError> {
    Ok(bert_files::create_folder(path)?)
}

/// Writes a file whole or not at all.
pub(crate) fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut File) -> Result<(), HubError>,
) -> Result<(), HubError> {
    let mut staged = StagedFile::create(path)?;
    write(staged.file())?;
    Ok(staged.commit()?)
}

/// As [`write_whole`], of bytes that there are already.
pub(crate) fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), HubError> {
    Ok(write_atomically(path, |out| out.write_all(bytes))?)
}

/// Gives a synced file its name, and syncs the folder.
pub(crate) fn publish(temporary: &Path, path: &Path) -> Result<(), HubError> {
    Ok(rename_durably(temporary, path)?)
}

/// Removes a file that may not be there.
pub(crate) fn remove(path: &Path) -> Result<(), HubError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(write_error(path, source)),
        _ => Ok(()),
    }
}

pub(crate) fn write_error(path: &Path, source: io::Error) -> HubError {
    HubError::Write {
        path: path.to_owned(),
        source,
    }
}

pub(crate) fn read_error(path: &Path, source: io::Error) -> HubError {
    HubError::Read {
        path: path.to_owned(),
        source,
    }
}
