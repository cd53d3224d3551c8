//! Files that are there whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::HubError;

/// A name beside `path` that no other process and no other thread uses.
pub(crate) fn temporary(path: &Path, ending: &str) -> PathBuf {
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
    fs::create_dir_all(path).map_err(|source| write_error(path, source))
}

/// Writes a file under another name, syncs it and renames it.
pub(crate) fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut File) -> Result<(), HubError>,
) -> Result<(), HubError> {
    let temporary = temporary(path, ".tmp");
    let written = File::create(&temporary)
        .map_err(|source| write_error(path, source))
        .and_then(|mut file| {
            write(&mut file)?;
            file.sync_all().map_err(|source| write_error(path, source))
        })
        .and_then(|()| publish(&temporary, path));
    if written.is_err() {
        // It may never have been there.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// As [`write_whole`], of bytes that there are already.
pub(crate) fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), HubError> {
    write_whole(path, |file| {
        file.write_all(bytes)
            .map_err(|source| write_error(path, source))
    })
}

/// Gives a synced file its name, and syncs the folder.
pub(crate) fn publish(temporary: &Path, path: &Path) -> Result<(), HubError> {
    fs::rename(temporary, path)
        .and_then(|()| sync_folder(path))
        .map_err(|source| write_error(path, source))
}

/// Syncs the folder that a file is in, so that its name is there after a power cut.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

/// Elsewhere than on Unix a folder cannot be opened, and renames are kept by the file system's journal.
#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
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
