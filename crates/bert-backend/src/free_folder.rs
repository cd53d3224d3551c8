//! A folder that no other running process uses.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The first of `folder`, `folder-2`, `folder-3`, … that no running process holds, made where it is missing, and the
/// lock that holds it.
pub(crate) fn free_folder(folder: &Path) -> io::Result<(PathBuf, File)> {
    let mut number = 1;
    loop {
        let mut name = folder.as_os_str().to_owned();
        if number > 1 {
            name.push(format!("-{number}"));
        }
        let folder = PathBuf::from(name);
        fs::create_dir_all(&folder)?;
        let lock = File::create(folder.join("in-use"))?;
        match lock.try_lock() {
            Ok(()) => return Ok((folder, lock)),
            Err(TryLockError::WouldBlock) => number += 1,
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test ends by panicking")]

    use super::*;

    #[test]
    fn a_process_gets_a_folder_that_no_other_holds() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        let (first, held) = free_folder(&at("H100-sm90")).unwrap();
        let (second, _held_too) = free_folder(&at("H100-sm90")).unwrap();
        assert_eq!([first, second], [at("H100-sm90"), at("H100-sm90-2")]);
        drop(held);
        let (again, _) = free_folder(&at("H100-sm90")).unwrap();
        assert_eq!(again, at("H100-sm90"));
    }
}
