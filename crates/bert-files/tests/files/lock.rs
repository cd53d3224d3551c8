//! One run at a time in an output folder.

use std::{fs, process};

use bert_files::{FileError, FolderLock};

use crate::names;

#[test]
fn a_second_run_is_refused_until_the_first_has_ended() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for _ in 0..3 {
        let lock = FolderLock::acquire(folder.path()).expect("nobody holds it");
        assert!(lock.is_held());
        let error = FolderLock::acquire(folder.path()).expect_err("it is held");
        assert_eq!(
            error.to_string(),
            format!(
                "{}: found another run at work in this folder (process {}), expected none: \
                 wait for it or choose another folder",
                folder.path().display(),
                process::id()
            )
        );
        // The refused run has not taken the holder's file away.
        assert_eq!(names(folder.path()), [".bert-lock"]);
        drop(lock);
        assert_eq!(names(folder.path()), [""; 0]);
    }
}

#[test]
fn a_file_that_a_killed_run_left_is_taken_over() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join(".bert-lock");
    fs::write(&path, "4294967295\nand more").expect("it is written");
    let lock = FolderLock::acquire(folder.path()).expect("nobody holds it");
    let text = fs::read_to_string(&path).expect("it is there");
    assert_eq!(text, format!("{}\n", process::id()));
    drop(lock);
    assert!(!path.exists());
}

#[test]
fn folders_are_locked_one_by_one() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let locks: Vec<FolderLock> = ["a", "b"]
        .iter()
        .map(|name| {
            let dir = folder.path().join(name);
            fs::create_dir(&dir).expect("it is made");
            FolderLock::acquire(&dir).expect("nobody holds it")
        })
        .collect();
    assert!(locks.iter().all(FolderLock::is_held));
}

#[test]
fn a_folder_that_cannot_be_locked_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let taken = folder.path().join("taken");
    fs::create_dir_all(taken.join(".bert-lock")).expect("it is made");
    for dir in [folder.path().join("none"), taken] {
        let error = FolderLock::acquire(&dir).expect_err("it cannot be locked");
        assert!(matches!(error, FileError::Lock { .. }), "{error}");
        let message = error.to_string();
        let start = format!("{}: cannot be locked: ", dir.display());
        assert!(message.starts_with(&start), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}

#[test]
fn a_holder_that_has_not_said_who_it_is_is_not_named() {
    let error = FileError::Locked {
        dir: "out".into(),
        pid: None,
    };
    assert_eq!(
        error.to_string(),
        "out: found another run at work in this folder, expected none: \
         wait for it or choose another folder"
    );
}
