//! Several files of a folder, replaced together.

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
};

use crate::{
    FileError,
    folders::{create_folder, sync_folder},
    renames::Renames,
    staged::{StagedFile, refuse_folder},
    temporary::temporary_beside,
};

/// Files of one folder that speak of one result: the new ones take the place of all the old ones, or none does.
///
/// [`write`](Self::write) puts a new file beside the old ones under a temporary name, so a full disk is noticed while
/// every old file still stands. [`commit`](Self::commit) syncs the new files, takes the names of all old ones away, and
/// gives the new ones theirs. Where a step fails, every old file gets its name back. A process that is killed within a
/// commit leaves a part of the old files or a part of the new ones, never some of each.
#[derive(Debug)]
pub struct Replacement {
    dir: PathBuf,
    staged: Vec<StagedFile>,
    removed: Vec<PathBuf>,
}

impl Replacement {
    /// Starts an empty set of files in `dir`, which is made where it is not there.
    ///
    /// # Errors
    ///
    /// Fails where the folder cannot be made.
    pub fn new(dir: &Path) -> Result<Self, FileError> {
        create_folder(dir)?;
        Ok(Self {
            dir: dir.to_owned(),
            staged: Vec::new(),
            removed: Vec::new(),
        })
    }

    /// The folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Adds a file. Another of that name in the set is replaced.
    ///
    /// # Errors
    ///
    /// Fails where the file cannot be written or `write` fails. The folder's files are as they were.
    pub fn write(
        &mut self,
        name: &str,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), FileError> {
        let target = self.dir.join(name);
        let staged = StagedFile::written(&target, write)?;
        self.staged.retain(|other| other.target() != target);
        self.staged.push(staged);
        Ok(())
    }

    /// Adds files that the new result may not have: those that are there and that the set does not write are removed
    /// when it is committed.
    pub fn remove<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) {
        let paths = names.into_iter().map(|name| self.dir.join(name));
        self.removed.extend(paths);
    }

    /// Puts the set in place of the old files.
    ///
    /// # Errors
    ///
    /// Fails where a file cannot be synced or renamed, and where a folder has the name of a file. Every file of the
    /// folder is then as it was.
    pub fn commit(self) -> Result<(), FileError> {
        for staged in &self.staged {
            staged.sync()?;
        }
        let mut renames = Renames::default();
        match self.exchange(&mut renames) {
            Ok(old) => {
                for path in old {
                    // The new files are in place; what is left of an old one has a temporary name.
                    let _ = fs::remove_file(path);
                }
                Ok(())
            }
            Err(error) => {
                renames.undo();
                Err(error)
            }
        }
    }

    /// Makes the renames, and returns where the old files are now.
    fn exchange(&self, renames: &mut Renames) -> Result<Vec<PathBuf>, FileError> {
        let written = self.staged.iter().map(StagedFile::target);
        let mut targets: Vec<&Path> = written
            .chain(self.removed.iter().map(PathBuf::as_path))
            .collect();
        targets.sort_unstable();
        targets.dedup();
        for target in &targets {
            refuse_folder(target)?;
        }
        let mut old = Vec::new();
        for target in targets {
            let away = temporary_beside(target);
            match renames.rename(target, &away) {
                Ok(()) => old.push(away),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(FileError::write(target)(source)),
            }
        }
        for staged in &self.staged {
            renames
                .rename(staged.temporary(), staged.target())
                .map_err(FileError::write(staged.target()))?;
        }
        sync_folder(&self.dir).map_err(FileError::write(&self.dir))?;
        Ok(old)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::staged::tests::names;

    const NAMES: [&str; 4] = ["a.json", "b.json", "c.txt", "d.txt"];

    fn contents(folder: &Path) -> BTreeMap<String, String> {
        let read = |name: &String| fs::read_to_string(folder.join(name)).expect("it is there");
        let names = names(folder).into_iter();
        names.map(|name| (name.clone(), read(&name))).collect()
    }

    #[test]
    fn nothing_changes_before_the_commit_and_all_does_with_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for name in ["a.json", "c.txt", "users.txt"] {
            fs::write(folder.path().join(name), "old").expect("it is written");
        }
        let mut files = Replacement::new(folder.path()).expect("the folder is there");
        files.remove(NAMES);
        for (name, text) in [("a.json", "first"), ("b.json", "new"), ("a.json", "new")] {
            files
                .write(name, |out| out.write_all(text.as_bytes()))
                .expect("it is staged");
        }
        let read = |name: &str| fs::read_to_string(folder.path().join(name));
        assert_eq!(read("a.json").expect("it is there"), "old");
        assert!(read("b.json").is_err());
        files.commit().expect("they are replaced");
        let found = contents(folder.path());
        let expected = [("a.json", "new"), ("b.json", "new"), ("users.txt", "old")];
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (name, text) in expected {
            assert_eq!(found[name], text, "{name}");
        }
    }

    #[test]
    fn a_failure_while_writing_leaves_every_file_as_it_was() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for name in NAMES {
            fs::write(folder.path().join(name), "old").expect("it is written");
        }
        let before = contents(folder.path());
        let mut files = Replacement::new(folder.path()).expect("the folder is there");
        files.remove(NAMES);
        files
            .write("a.json", |out| out.write_all(b"new"))
            .expect("it is staged");
        let error = files
            .write("b.json", |_| Err(io::ErrorKind::StorageFull.into()))
            .expect_err("the disk is full");
        assert!(error.to_string().contains("b.json: cannot be written: "));
        drop(files);
        assert_eq!(contents(folder.path()), before);
    }

    #[test]
    fn a_failure_while_renaming_leaves_every_file_as_it_was() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for name in ["a.json", "d.txt"] {
            fs::write(folder.path().join(name), "old").expect("it is written");
        }
        let mut files = Replacement::new(folder.path()).expect("the folder is there");
        files.remove(NAMES);
        for name in ["a.json", "b.json"] {
            files
                .write(name, |out| out.write_all(b"new"))
                .expect("it is staged");
        }
        // The second new file is lost: its rename fails after the first new file has its name.
        fs::remove_file(files.staged[1].temporary()).expect("it is removed");
        let error = files.commit().expect_err("there is nothing to rename");
        assert!(error.to_string().contains("b.json"), "{error}");
        let expected = ["a.json", "d.txt"].map(|name| (name.to_owned(), "old".to_owned()));
        assert_eq!(contents(folder.path()), BTreeMap::from(expected));
    }

    #[test]
    fn a_folder_in_a_files_place_is_named_before_anything_is_renamed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("a.json"), "old").expect("it is written");
        fs::create_dir(folder.path().join("b.json")).expect("it is made");
        let mut files = Replacement::new(folder.path()).expect("the folder is there");
        files.remove(NAMES);
        files
            .write("a.json", |out| out.write_all(b"new"))
            .expect("it is staged");
        let message = files.commit().expect_err("a folder").to_string();
        assert!(
            message.ends_with("b.json: found a directory, expected a file"),
            "{message}"
        );
        let old = fs::read_to_string(folder.path().join("a.json")).expect("it is there");
        assert_eq!(old, "old");
        assert_eq!(names(folder.path()), ["a.json", "b.json"]);
    }

    proptest! {
        #[test]
        fn the_folder_holds_the_new_set_and_what_is_not_of_it(
            before in prop::sample::subsequence(&NAMES[..], 0..=4),
            after in prop::sample::subsequence(&NAMES[..], 0..=4),
        ) {
            let folder = tempfile::tempdir().expect("a temporary folder");
            fs::write(folder.path().join("other"), "old").expect("it is written");
            for name in &before {
                fs::write(folder.path().join(name), "old").expect("it is written");
            }
            let mut files = Replacement::new(folder.path()).expect("the folder is there");
            files.remove(NAMES);
            for name in &after {
                files.write(name, |out| out.write_all(b"new")).expect("it is staged");
            }
            files.commit().expect("they are replaced");
            let mut expected: BTreeMap<String, String> =
                after.iter().map(|name| ((*name).to_owned(), "new".to_owned())).collect();
            expected.insert("other".to_owned(), "old".to_owned());
            prop_assert_eq!(contents(folder.path()), expected);
        }
    }
}
