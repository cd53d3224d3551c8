use std::cell::Cell;

use super::*;

#[test]
fn a_file_system_without_locks_is_gone_on_with_and_said() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let lock = acquire_with(folder.path(), |_| {
        Err(TryLockError::Error(io::ErrorKind::Unsupported.into()))
    })
    .expect("no lock is no failure");
    assert!(!lock.is_held());
}

#[test]
fn a_failing_lock_names_the_folder() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let error = acquire_with(folder.path(), |_| {
        Err(TryLockError::Error(io::Error::other(
            "no records available",
        )))
    })
    .expect_err("it failed");
    assert_eq!(
        error.to_string(),
        format!(
            "{}: cannot be locked: no records available",
            folder.path().display()
        )
    );
}

#[cfg(unix)]
#[test]
fn a_lock_on_a_file_that_was_removed_meanwhile_is_no_lock() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join(FOLDER_LOCK);
    let calls = Cell::new(0);
    let lock = acquire_with(folder.path(), |file| {
        calls.set(calls.get() + 1);
        match calls.get() {
            1 => fs::remove_file(&path).expect("it is removed"),
            2 => {
                fs::remove_file(&path).expect("it is removed");
                fs::write(&path, "").expect("it is written");
            }
            _ => {}
        }
        file.try_lock()
    })
    .expect("the third time it is left in place");
    assert_eq!(calls.get(), 3);
    assert!(lock.is_held());
    let text = fs::read_to_string(&path).expect("it is there");
    assert_eq!(text, format!("{}\n", process::id()));
}

#[cfg(unix)]
#[test]
fn a_file_that_keeps_vanishing_is_given_up() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join(FOLDER_LOCK);
    let error = acquire_with(folder.path(), |_| {
        fs::remove_file(&path).expect("it is removed");
        Ok(())
    })
    .expect_err("it never stays");
    assert!(error.to_string().contains("100 times"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_file_of_someone_else_is_not_removed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join(FOLDER_LOCK);
    let lock = FolderLock::acquire(folder.path()).expect("nobody holds it");
    fs::remove_file(&path).expect("it is removed");
    fs::write(&path, "another's\n").expect("it is written");
    drop(lock);
    assert!(path.exists());
}

#[test]
fn only_a_whole_process_id_is_believed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("pid");
    for (text, pid) in [
        ("1234\n", Some(1234)),
        ("", None),
        ("12", None),
        ("-1\n", None),
        ("99999999999\n", None),
        ("a long text that is no process id at all\n", None),
    ] {
        fs::write(&path, text).expect("it is written");
        let file = File::open(&path).expect("it is there");
        assert_eq!(read_pid(&file), pid, "{text:?}");
    }
}
