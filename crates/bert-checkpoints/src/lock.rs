//! The lock of an output folder.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
    process,
};

use crate::CheckpointError;

const FILE_NAME: &str = ".bert-lock";

/// How often a lock file that vanishes while it is being locked is tried again. Each time another run has just ended.
const ATTEMPTS: usize = 100;

/// One process's sole use of an output folder, until this is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct OutputLock {
    path: PathBuf,
    /// Open as long as the lock is held; none where the file system has no locks.
    file: Option<File>,
}

impl OutputLock {
    /// Locks a folder that exists, through the file `.bert-lock` in it.
    ///
    /// On a file system without locks nothing is locked, and [`is_held`](Self::is_held) says so.
    ///
    /// # Errors
    ///
    /// Fails where another run holds the lock, and where the folder is not there or cannot be written.
    pub fn acquire(dir: &Path) -> Result<Self, CheckpointError> {
        acquire_with(dir, File::try_lock)
    }

    /// Whether others are kept out, which they are not where the file system has no locks.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.file.is_some()
    }
}

impl Drop for OutputLock {
    fn drop(&mut self) {
        // Removed before the field is closed, that is, still under the lock. A file that someone has put in its place
        // is not ours, and one that cannot be removed keeps nobody out.
        if let Some(file) = &self.file
            && is_at(file, &self.path).unwrap_or(false)
        {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn acquire_with(
    dir: &Path,
    try_lock: impl Fn(&File) -> Result<(), TryLockError>,
) -> Result<OutputLock, CheckpointError> {
    let lock_error = |source| CheckpointError::Lock {
        dir: dir.to_owned(),
        source,
    };
    let path = dir.join(FILE_NAME);
    for _ in 0..ATTEMPTS {
        // What a link leads to is someone else's, and is neither made nor locked.
        if path.is_symlink() {
            let error = format!("found {FILE_NAME} as a link, expected a file of ours or none");
            return Err(lock_error(io::Error::other(error)));
        }
        // Not truncated: until the lock is held, what it says is the holder's.
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(lock_error)?;
        match try_lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(CheckpointError::Locked {
                    dir: dir.to_owned(),
                    pid: read_pid(&file),
                });
            }
            // The file stays: another machine may see locks on it.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                return Ok(OutputLock { path, file: None });
            }
            Err(TryLockError::Error(source)) => return Err(lock_error(source)),
        }
        // A run that ended after the file was opened has removed it: the lock is then on a file that nobody else finds.
        if is_at(&file, &path).map_err(lock_error)? {
            let written = write_pid(&file);
            let lock = OutputLock {
                path,
                file: Some(file),
            };
            return written.map(|()| lock).map_err(lock_error);
        }
    }
    Err(lock_error(io::Error::other(format!(
        "{FILE_NAME} was removed {ATTEMPTS} times while being locked"
    ))))
}

/// Whether a path leads to an open file.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;

    let open = file.metadata()?;
    // A link is not followed: what it leads to is someone else's.
    match fs::symlink_metadata(path) {
        Ok(named) => Ok((open.dev(), open.ino()) == (named.dev(), named.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether a path leads to an open file. Elsewhere than on Unix a file that is open keeps its name.
#[cfg(not(unix))]
fn is_at(_file: &File, _path: &Path) -> io::Result<bool> {
    Ok(true)
}

fn write_pid(mut file: &File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(format!("{}\n", process::id()).as_bytes())
}

/// The holder's process, unless it has not written it yet or keeps others from reading it.
fn read_pid(file: &File) -> Option<u32> {
    let mut text = String::new();
    // Longer than any process id is something else.
    file.take(32).read_to_string(&mut text).ok()?;
    text.strip_suffix('\n')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_file_system_without_locks_is_gone_on_with_and_said() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let lock = acquire_with(folder.path(), |_| {
            Err(TryLockError::Error(io::ErrorKind::Unsupported.into()))
        })
        .expect("no lock is no failure");
        assert!(!lock.is_held());
    }

    #[test]
    fn a_failing_lock_names_the_folder() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let error = acquire_with(folder.path(), |_| {
            Err(TryLockError::Error(io::Error::other(
                "no records available",
            )))
        })
        .expect_err("it failed");
        assert_eq!(
            error.to_string(),
            format!(
                "{}: cannot be locked: no records available",
                folder.path().display()
            )
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_lock_on_a_file_that_was_removed_meanwhile_is_no_lock() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(FILE_NAME);
        let calls = Cell::new(0);
        let lock = acquire_with(folder.path(), |file| {
            calls.set(calls.get() + 1);
            match calls.get() {
                1 => fs::remove_file(&path).expect("it is removed"),
                2 => {
                    fs::remove_file(&path).expect("it is removed");
                    fs::write(&path, "").expect("it is written");
                }
                _ => {}
            }
            file.try_lock()
        })
        .expect("the third time it is left in place");
        assert_eq!(calls.get(), 3);
        assert!(lock.is_held());
        let text = fs::read_to_string(&path).expect("it is there");
        assert_eq!(text, format!("{}\n", process::id()));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_keeps_vanishing_is_given_up() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(FILE_NAME);
        let error = acquire_with(folder.path(), |_| {
            fs::remove_file(&path).expect("it is removed");
            Ok(())
        })
        .expect_err("it never stays");
        assert!(error.to_string().contains("100 times"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_of_someone_else_is_not_removed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(FILE_NAME);
        let lock = OutputLock::acquire(folder.path()).expect("nobody holds it");
        fs::remove_file(&path).expect("it is removed");
        fs::write(&path, "another's\n").expect("it is written");
        drop(lock);
        assert!(path.exists());
    }

    #[test]
    fn only_a_whole_process_id_is_believed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("pid");
        for (text, pid) in [
            ("1234\n", Some(1234)),
            ("", None),
            ("12", None),
            ("-1\n", None),
            ("99999999999\n", None),
            ("a long text that is no process id at all\n", None),
        ] {
            fs::write(&path, text).expect("it is written");
            let file = File::open(&path).expect("it is there");
            assert_eq!(read_pid(&file), pid, "{text:?}");
        }
    }
}
