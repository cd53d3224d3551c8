//! One download of a file at a time, over all processes.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::files::{make_folder, write_error};
use crate::{HubError, Progress};

/// How often a lock that another holds is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// The sole use of what a lock file stands for, until this is dropped or the process ends. The file stays: taken away,
/// it would be another file for those who wait than for those who come.
#[derive(Debug)]
pub(crate) struct Lock {
    /// None where the file system has no locks.
    file: Option<File>,
}

impl Lock {
    /// Waits for the lock. It is the one that Python's `filelock` takes: `flock` on Unix.
    pub(crate) fn wait(path: &Path, progress: &mut dyn Progress) -> Result<Self, HubError> {
        if let Some(folder) = path.parent() {
            make_folder(folder)?;
        }
        let mut told = false;
        loop {
            let file = File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(path)
                .map_err(|source| write_error(path, source))?;
            match file.try_lock() {
                // One who cleans the cache may have taken the file away meanwhile.
                Ok(()) if is_at(&file, path).map_err(|source| write_error(path, source))? => {
                    return Ok(Self { file: Some(file) });
                }
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    if !told {
                        tracing::info!(
                            "waiting for another process that downloads this: {}",
                            path.display()
                        );
                        told = true;
                    }
                    if progress.advance(0).is_break() {
                        return Err(HubError::Interrupted);
                    }
                    thread::sleep(LOOK);
                }
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                    return Ok(Self { file: None });
                }
                Err(TryLockError::Error(source)) => return Err(write_error(path, source)),
            }
        }
    }

    /// Whether others are kept out, which they are not where the file system has no locks.
    pub(crate) fn is_held(&self) -> bool {
        self.file.is_some()
    }
}

/// Whether a path leads to an open file.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;

    let open = file.metadata()?;
    match fs::metadata(path) {
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
