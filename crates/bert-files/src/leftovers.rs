//! What a killed process left half-written.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{FileError, entries, temporary::is_temporary};

/// Removes the temporary files of killed processes from a folder, not from those below it, and returns their paths.
///
/// Hold the folder's [`FolderLock`](crate::FolderLock) meanwhile: the temporary files of a process at work look alike.
///
/// # Errors
///
/// Fails where the folder cannot be listed or one of the files cannot be removed.
pub fn remove_leftovers(dir: &Path) -> Result<Vec<PathBuf>, FileError> {
    let mut removed = Vec::new();
    for (name, path) in entries(dir)? {
        // A folder of such a name is not one of ours; a link is, and goes without what it leads to.
        if !is_temporary(&name) || path.symlink_metadata().is_ok_and(|it| it.is_dir()) {
            continue;
        }
        match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(FileError::Remove { path, source }),
            Ok(()) => removed.push(path),
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{StagedFile, staged::tests::names};

    #[test]
    fn only_half_written_files_are_removed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("model.safetensors");
        let staged = StagedFile::create(&path).expect("it is made");
        // As a kill does, so that nothing tidies up.
        std::mem::forget(staged);
        fs::create_dir(folder.path().join(".bert-tmp-1-2")).expect("it is made");
        for name in [".tmpAb3x9Z", ".bert-tmp-notes", "model.safetensors"] {
            fs::write(folder.path().join(name), "").expect("it is written");
        }
        let removed = remove_leftovers(folder.path()).expect("it is tidied up");
        assert_eq!(removed.len(), 1, "{removed:?}");
        assert_eq!(
            names(folder.path()),
            [
                ".bert-tmp-1-2",
                ".bert-tmp-notes",
                ".tmpAb3x9Z",
                "model.safetensors"
            ]
        );
        assert!(remove_leftovers(folder.path()).expect("again").is_empty());
    }
}
