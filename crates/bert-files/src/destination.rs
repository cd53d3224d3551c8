//! Where a file goes: into a folder at once, or into a set of files.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::{FileError, Replacement, write_atomically};

/// What takes whole files by their names: a folder, which has each as soon as it is written, or a [`Replacement`],
/// which puts them in place together.
pub trait Destination {
    /// The file's path, for errors.
    fn path_of(&self, name: &str) -> PathBuf;

    /// Writes a whole file.
    ///
    /// # Errors
    ///
    /// Fails where the file cannot be written or `write` fails. An earlier file is then as it was.
    fn write_file(
        &mut self,
        name: &str,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), FileError>;
}

impl Destination for &Path {
    fn path_of(&self, name: &str) -> PathBuf {
        self.join(name)
    }

    fn write_file(
        &mut self,
        name: &str,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), FileError> {
        write_atomically(&self.join(name), write)
    }
}

impl Destination for &mut Replacement {
    fn path_of(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    fn write_file(
        &mut self,
        name: &str,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), FileError> {
        self.write(name, write)
    }
}
