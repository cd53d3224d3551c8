//! Folders: made, listed and synced.

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use crate::FileError;

/// Makes a folder and those above it, and makes the names of the new ones durable. A folder that is there is fine.
///
/// # Errors
///
/// Fails where the folder cannot be made, for instance where a file has its name.
pub fn create_folder(path: &Path) -> Result<(), FileError> {
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
    create().map_err(|source| FileError::CreateFolder {
        path: path.to_owned(),
        source,
    })
}

/// Makes the names in a folder durable. Only Unix opens a folder for that; elsewhere this does nothing.
///
/// # Errors
///
/// Fails where the folder cannot be opened or synced.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(path)?.sync_all()?;
    }
    Ok(())
}

/// The names and paths of a folder's entries, in the order of their names.
///
/// # Errors
///
/// Fails where the folder cannot be listed.
pub fn entries(folder: &Path) -> Result<Vec<(OsString, PathBuf)>, FileError> {
    let list = || {
        fs::read_dir(folder)?
            .map(|entry| entry.map(|entry| (entry.file_name(), entry.path())))
            .collect::<io::Result<Vec<_>>>()
    };
    let mut entries = list().map_err(|source| FileError::List {
        path: folder.to_owned(),
        source,
    })?;
    entries.sort();
    Ok(entries)
}

/// The folder that holds an entry's name.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_name_is_in_the_current_folder() {
        assert_eq!(folder_of(Path::new("out.txt")), Path::new("."));
        assert_eq!(folder_of(Path::new("a/out.txt")), Path::new("a"));
        assert_eq!(folder_of(Path::new("/out.txt")), Path::new("/"));
    }

    #[test]
    fn a_folder_is_made_with_those_above_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a/b");
        create_folder(&path).expect("it is made");
        create_folder(&path).expect("it is there");
        assert!(path.is_dir());
        fs::write(path.join("file"), "").expect("it is written");
        for bad in [path.join("file"), path.join("file/sub")] {
            let message = create_folder(&bad).expect_err("a file").to_string();
            let start = format!("{}: cannot create the folder: ", bad.display());
            assert!(message.starts_with(&start), "{message}");
        }
    }
}
