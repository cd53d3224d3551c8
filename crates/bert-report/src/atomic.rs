//! Files that appear whole or not at all.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::Path,
};

use tempfile::{Builder, NamedTempFile};

use crate::ReportError;

/// Makes a folder and the folders above it; one that exists is fine.
///
/// # Errors
///
/// Fails where the folder cannot be made, for instance where a file has its name.
pub fn create_dir(path: &Path) -> Result<(), ReportError> {
    fs::create_dir_all(path).map_err(|source| ReportError::CreateDir {
        path: path.to_owned(),
        source,
    })
}

/// Writes a file through a temporary one in the same folder: written, synced, renamed, and the folder synced.
///
/// A failure leaves an earlier file of that name as it was, and no temporary file behind.
///
/// # Errors
///
/// Fails where the folder does not exist or cannot be written, and where `write` does.
pub fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), ReportError> {
    replace(path, write).map_err(|source| ReportError::Write {
        path: path.to_owned(),
        source,
    })
}

fn replace(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let folder = folder_of(path);
    let mut temporary = temporary_in(folder)?;
    let mut writer = BufWriter::new(temporary.as_file_mut());
    write(&mut writer)?;
    writer.flush()?;
    drop(writer);
    temporary.as_file().sync_all()?;
    temporary.persist(path).map_err(|error| error.error)?;
    sync_folder(folder)
}

/// The folder a file's name is entered in.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Opened here rather than by `tempfile`, which would keep the results from everyone but their owner and put the
/// temporary name into errors.
fn temporary_in(folder: &Path) -> io::Result<NamedTempFile> {
    Builder::new()
        .prefix(".")
        .suffix(".tmp")
        .make_in(folder, |path| {
            File::options().write(true).create_new(true).open(path)
        })
}

/// Makes the rename itself durable. Elsewhere than on Unix a folder cannot be opened for that.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// What is in a folder, sorted.
    pub(crate) fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .expect("the folder is there")
            .map(|entry| {
                let name = entry.expect("an entry").file_name();
                name.to_string_lossy().into_owned()
            })
            .collect();
        names.sort();
        names
    }

    #[test]
    fn replaces_a_file_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("out.txt");
        for text in ["first, longer", "second"] {
            write_atomically(&path, |out| out.write_all(text.as_bytes())).expect("it is written");
            assert_eq!(fs::read_to_string(&path).expect("it is there"), text);
        }
        assert_eq!(names(folder.path()), ["out.txt"]);
    }

    #[test]
    fn a_failed_write_keeps_the_old_file() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("out.txt");
        fs::write(&path, "old").expect("it is written");
        let error = write_atomically(&path, |out| {
            out.write_all(b"half of the n")?;
            Err(io::Error::other("the disk is full"))
        })
        .expect_err("the writer failed");
        assert_eq!(
            error.to_string(),
            format!(
                "{}: cannot write the file: the disk is full",
                path.display()
            )
        );
        assert_eq!(fs::read_to_string(&path).expect("it is there"), "old");
        assert_eq!(names(folder.path()), ["out.txt"]);
    }

    #[test]
    fn impossible_places_give_one_line_that_names_them() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("file");
        fs::write(&file, "").expect("it is written");
        let taken = folder.path().join("taken");
        fs::create_dir(&taken).expect("it is made");
        fs::write(taken.join("inside"), "").expect("it is written");
        let write = |path: &Path| write_atomically(path, |out| out.write_all(b"x"));
        let cases = [
            (file.join("out.txt"), write(&file.join("out.txt"))),
            (
                folder.path().join("no/out"),
                write(&folder.path().join("no/out")),
            ),
            (taken.clone(), write(&taken)),
            (file.join("sub"), create_dir(&file.join("sub"))),
            (file.clone(), create_dir(&file)),
        ];
        for (path, result) in cases {
            let message = result.expect_err("it cannot be written").to_string();
            assert!(
                message.starts_with(&format!("{}: cannot ", path.display())),
                "{message}"
            );
            assert_eq!(message.lines().count(), 1, "{message}");
            assert!(!message.contains(".tmp\""), "{message}");
        }
        assert_eq!(names(folder.path()), ["file", "taken"]);
    }

    #[cfg(unix)]
    #[test]
    fn the_umask_decides_the_permissions() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().expect("a temporary folder");
        let plain = folder.path().join("plain");
        let atomic = folder.path().join("atomic");
        fs::write(&plain, "").expect("it is written");
        write_atomically(&atomic, |_| Ok(())).expect("it is written");
        let mode = |path: &Path| {
            fs::metadata(path)
                .expect("it is there")
                .permissions()
                .mode()
        };
        assert_eq!(mode(&atomic), mode(&plain));
    }

    #[test]
    fn a_bare_file_name_is_in_the_current_folder() {
        assert_eq!(folder_of(Path::new("out.txt")), Path::new("."));
        assert_eq!(folder_of(Path::new("a/out.txt")), Path::new("a"));
        assert_eq!(folder_of(Path::new("/out.txt")), Path::new("/"));
    }
}
