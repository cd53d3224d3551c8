//! One file that appears whole or not at all.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use crate::{
    FileError,
    read::kind_of,
    renames::rename_durably,
    temporary::{TemporaryPath, temporary_beside},
};

/// A file that is written under a temporary name beside its destination, and takes its place with
/// [`commit`](Self::commit). Dropped without that it leaves nothing behind.
#[derive(Debug)]
pub struct StagedFile {
    target: PathBuf,
    temporary: TemporaryPath,
    file: File,
}

impl StagedFile {
    /// Starts a file whose destination is `target`. The umask decides who may read it.
    ///
    /// # Errors
    ///
    /// Fails where the folder does not exist or cannot be written.
    pub fn create(target: &Path) -> Result<Self, FileError> {
        loop {
            let path = temporary_beside(target);
            match File::create_new(&path) {
                Ok(file) => {
                    return Ok(Self {
                        target: target.to_owned(),
                        temporary: TemporaryPath(path),
                        file,
                    });
                }
                // A killed process with this one's number left it, or one of another machine has it.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(source) => return Err(FileError::write(target)(source)),
            }
        }
    }

    /// The open file.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Puts the file in the place of its destination: syncs it, renames it and syncs the folder.
    ///
    /// # Errors
    ///
    /// Fails where one of the three does, or a folder stands in the place. An earlier file is then as it was.
    pub fn commit(self) -> Result<(), FileError> {
        self.sync()?;
        refuse_folder(&self.target)?;
        rename_durably(&self.temporary.0, &self.target)
    }

    pub(crate) fn sync(&self) -> Result<(), FileError> {
        self.file.sync_all().map_err(FileError::write(&self.target))
    }

    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    pub(crate) fn temporary(&self) -> &Path {
        &self.temporary.0
    }

    /// As [`write_atomically`], without taking the destination's place.
    pub(crate) fn written(
        target: &Path,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<Self, FileError> {
        let mut staged = Self::create(target)?;
        let mut writer = BufWriter::new(&mut staged.file);
        write(&mut writer)
            .and_then(|()| writer.flush())
            .map_err(FileError::write(target))?;
        drop(writer);
        Ok(staged)
    }
}

/// Fails where a folder stands in a file's place.
pub(crate) fn refuse_folder(target: &Path) -> Result<(), FileError> {
    match target.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => Err(FileError::NotAFile {
            path: target.to_owned(),
            found: kind_of(metadata.file_type()),
        }),
        _ => Ok(()),
    }
}

/// Writes a file through a temporary one in the same folder: written, synced, renamed, and the folder synced. A reader
/// sees the old file or the new one, never a part of it.
///
/// # Errors
///
/// Fails where the folder does not exist or cannot be written, and where `write` does. An earlier file is then as it
/// was, and no temporary file is left.
pub fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), FileError> {
    StagedFile::written(path, write)?.commit()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::fs;

    use super::*;

    /// What is in a folder, sorted.
    pub(crate) fn names(folder: &Path) -> Vec<String> {
        let entries = crate::entries(folder).expect("the folder is there");
        let names = entries.into_iter();
        names
            .map(|(name, _)| name.to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn a_file_is_replaced_and_nothing_else_is_left() {
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
            format!("{}: cannot be written: the disk is full", path.display())
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
        for path in [file.join("out.txt"), folder.path().join("no/out"), taken] {
            let message = write_atomically(&path, |out| out.write_all(b"x"))
                .expect_err("it cannot be written")
                .to_string();
            assert!(
                message.starts_with(&format!("{}: ", path.display())),
                "{message}"
            );
            assert_eq!(message.lines().count(), 1, "{message}");
            assert!(!message.contains(".bert-tmp"), "{message}");
        }
        assert_eq!(names(folder.path()), ["file", "taken"]);
    }

    #[test]
    fn a_name_that_a_killed_process_left_is_passed_over() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("out.txt");
        // The numbers that come next, whatever other tests use of them meanwhile.
        let next = temporary_beside(&path);
        let name = next.file_name().expect("a name").to_string_lossy();
        let (start, count) = name.rsplit_once('-').expect("a number");
        let count: u64 = count.parse().expect("a number");
        for count in count..count + 200 {
            fs::write(folder.path().join(format!("{start}-{count}")), "x").expect("it is written");
        }
        write_atomically(&path, |out| out.write_all(b"new")).expect("it is written");
        assert_eq!(fs::read_to_string(&path).expect("it is there"), "new");
        assert_eq!(names(folder.path()).len(), 201);
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
}
