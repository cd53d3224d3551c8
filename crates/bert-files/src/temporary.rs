//! The names of files that are being written.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
};

use crate::folders::folder_of;

const PREFIX: &str = ".bert-tmp-";

/// A name in the folder of `path` that this process has not used before: `.bert-tmp-<process>-<number>`.
#[must_use]
pub fn temporary_beside(path: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    folder_of(path).join(format!("{PREFIX}{}-{count}", process::id()))
}

/// Whether a name is one that [`temporary_beside`] makes.
pub(crate) fn is_temporary(name: &OsStr) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    name.to_str()
        .and_then(|name| name.strip_prefix(PREFIX)?.split_once('-'))
        .is_some_and(|(process, count)| is_number(process) && is_number(count))
}

/// The path of a file that is removed when this is dropped, unless it has been renamed by then.
#[derive(Debug)]
pub(crate) struct TemporaryPath(pub(crate) PathBuf);

impl Drop for TemporaryPath {
    fn drop(&mut self) {
        // What cannot be removed now is a leftover for later; the error that led here counts more.
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_recognised_and_differ() {
        let path = Path::new("out/weights.bin");
        let (first, second) = (temporary_beside(path), temporary_beside(path));
        assert_ne!(first, second);
        for path in [first, second] {
            assert_eq!(path.parent(), Some(Path::new("out")));
            assert!(is_temporary(path.file_name().expect("a name")), "{path:?}");
        }
    }

    #[test]
    fn names_of_others_are_not_recognised() {
        for name in [
            ".bert-tmp-",
            ".bert-tmp-1",
            ".bert-tmp-1-",
            ".bert-tmp--1",
            ".bert-tmp-1-2.txt",
            ".bert-tmp-notes-of-mine",
            "bert-tmp-1-2",
            ".bert-lock",
            ".tmpAb3x9Z",
        ] {
            assert!(!is_temporary(OsStr::new(name)), "{name}");
        }
    }
}
