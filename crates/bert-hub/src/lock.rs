//! One download of a file at a time, over all processes.

use std::path::Path;

use bert_files::FileLock;

use crate::files::make_folder;
use crate::{HubError, Progress};

/// Waits for a lock, and says once that it waits.
pub(crate) fn wait(path: &Path, progress: &mut dyn Progress) -> Result<FileLock, HubError> {
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    let mut told = false;
    let lock = FileLock::wait(path, || {
        if !told {
            let path = path.display();
            tracing::info!("waiting for another process that downloads this: {path}");
            told = true;
        }
        progress.advance(0)
    })?;
    lock.ok_or(HubError::Interrupted)
}
