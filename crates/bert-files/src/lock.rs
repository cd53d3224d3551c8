//! Locks over all processes of a machine, and of several where the file system has them.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read, Seek, Write},
    ops::ControlFlow,
    path::{Path, PathBuf},
    process, thread,
    time::Duration,
};

use crate::FileError;

/// The lock's file in a folder.
const FOLDER_LOCK: &str = ".bert-lock";

/// How often a lock file that is removed while it is being locked is tried again. Each time another process has just
/// let go of it.
const ATTEMPTS: usize = 100;

/// How long a lock that another process holds is left alone before it is tried again.
const PAUSE: Duration = Duration::from_millis(50);

/// One process's sole use of a folder, until this is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct FolderLock {
    path: PathBuf,
    /// Open as long as the lock is held; none where the file system has no locks.
    file: Option<File>,
}

impl FolderLock {
    /// Locks a folder that exists, through the file `.bert-lock` in it, which is removed with the lock.
    ///
    /// On a file system without locks nothing is locked, and [`is_held`](Self::is_held) is false.
    ///
    /// # Errors
    ///
    /// Fails where another process holds the lock, and where the folder is not there or cannot be written.
    pub fn acquire(dir: &Path) -> Result<Self, FileError> {
        acquire_with(dir, File::try_lock)
    }

    /// Whether others are kept out, which they are not where the file system has no locks.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.file.is_some()
    }
}

impl Drop for FolderLock {
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

/// The sole use of what a lock file stands for, until this is dropped or the process ends. The file stays: a process
/// that waits for it has it open, and one that came later would make another.
///
/// It is the lock that Python's `filelock` takes: `flock` on Unix.
#[derive(Debug)]
pub struct FileLock {
    /// None where the file system has no locks.
    file: Option<File>,
}

impl FileLock {
    /// Waits for the lock. Each time that another process holds it, `waiting` says whether to go on waiting; it is asked
    /// every 50 ms. `None` where it says no.
    ///
    /// # Errors
    ///
    /// Fails where the lock's file cannot be made or locked.
    pub fn wait(
        path: &Path,
        mut waiting: impl FnMut() -> ControlFlow<()>,
    ) -> Result<Option<Self>, FileError> {
        loop {
            match attempt(path, File::try_lock).map_err(lock_error(path))? {
                Attempt::Held(file) => return Ok(Some(Self { file: Some(file) })),
                Attempt::Unsupported => return Ok(Some(Self { file: None })),
                Attempt::Removed => {}
                Attempt::Taken(_) => {
                    if waiting().is_break() {
                        return Ok(None);
                    }
                    thread::sleep(PAUSE);
                }
            }
        }
    }

    /// Whether others are kept out, which they are not where the file system has no locks.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.file.is_some()
    }
}

/// What came of one attempt to take a lock.
enum Attempt {
    /// It is held as long as the file is open.
    Held(File),
    /// Another process holds it.
    Taken(File),
    /// The file was removed meanwhile: a lock on it keeps nobody out.
    Removed,
    /// The file system has no locks. The file stays, because another machine may see locks on it.
    Unsupported,
}

fn attempt(
    path: &Path,
    try_lock: impl Fn(&File) -> Result<(), TryLockError>,
) -> io::Result<Attempt> {
    // What a link leads to is someone else's, and is neither made nor locked.
    if path.is_symlink() {
        let name = path.file_name().unwrap_or_default().display();
        let error = format!("found {name} as a link, expected a file of ours or none");
        return Err(io::Error::other(error));
    }
    // Not truncated: until the lock is held, what it says is the holder's.
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    match try_lock(&file) {
        Ok(()) if is_at(&file, path)? => Ok(Attempt::Held(file)),
        Ok(()) => Ok(Attempt::Removed),
        Err(TryLockError::WouldBlock) => Ok(Attempt::Taken(file)),
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
            Ok(Attempt::Unsupported)
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn lock_error(path: &Path) -> impl Fn(io::Error) -> FileError {
    let path = path.to_owned();
    move |source| FileError::Lock {
        path: path.clone(),
        source,
    }
}

fn acquire_with(
    dir: &Path,
    try_lock: impl Fn(&File) -> Result<(), TryLockError>,
) -> Result<FolderLock, FileError> {
    let lock_error = lock_error(dir);
    let path = dir.join(FOLDER_LOCK);
    for _ in 0..ATTEMPTS {
        match attempt(&path, &try_lock).map_err(&lock_error)? {
            Attempt::Held(file) => {
                let written = write_pid(&file);
                let lock = FolderLock {
                    path,
                    file: Some(file),
                };
                return written.map(|()| lock).map_err(lock_error);
            }
            Attempt::Taken(file) => {
                return Err(FileError::Locked {
                    dir: dir.to_owned(),
                    pid: read_pid(&file),
                });
            }
            Attempt::Unsupported => return Ok(FolderLock { path, file: None }),
            Attempt::Removed => {}
        }
    }
    Err(lock_error(io::Error::other(format!(
        "{FOLDER_LOCK} was removed {ATTEMPTS} times while being locked"
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
fn is_at(_file: &File, path: &Path) -> io::Result<bool> {
    fs::exists(path)
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
mod tests;
