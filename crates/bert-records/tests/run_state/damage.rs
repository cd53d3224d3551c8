//! No damage goes unseen.

use std::{
    fs,
    path::{Path, PathBuf},
};

use bert_records::{RecordError, RunStateStore};
use tempfile::TempDir;

use crate::fixture::{names, open, write};

const STEP: u64 = 100;

fn run_state() -> (TempDir, RunStateStore) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = open(folder.path(), 3);
    write(&store, STEP, &[]);
    (folder, store)
}

/// Every file of the run state and what is in it.
fn files(store: &RunStateStore) -> Vec<(PathBuf, Vec<u8>)> {
    names(&store.path(STEP))
        .into_iter()
        .map(|name| {
            let path = store.path(STEP).join(name);
            let bytes = fs::read(&path).expect("it is there");
            (path, bytes)
        })
        .collect()
}

/// The damage is seen, and the file that is damaged is named.
fn assert_damaged(store: &RunStateStore, file: &Path, what: &str) {
    let error = store.verify(STEP).expect_err(what);
    assert!(error.is_damage(), "{what}: {error}");
    let message = error.to_string();
    let start = format!("{}: ", file.display());
    assert!(message.starts_with(&start), "{what}: {message}");
    assert!(
        message.contains("the run state is damaged"),
        "{what}: {message}"
    );
    assert_eq!(message.lines().count(), 1, "{what}: {message}");
}

#[test]
fn every_flipped_bit_is_seen() {
    let (_folder, store) = run_state();
    let mut flips = 0;
    for (path, bytes) in files(&store) {
        for bit in 0..8 * bytes.len() {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, damaged).expect("it is written");
            assert_damaged(&store, &path, &format!("bit {bit} of {}", path.display()));
            flips += 1;
        }
        fs::write(&path, bytes).expect("it is written");
        store.verify(STEP).expect("it is as it was");
    }
    assert!(flips > 1000, "{flips}");
}

#[test]
fn every_truncation_is_seen() {
    let (_folder, store) = run_state();
    for (path, bytes) in files(&store) {
        for length in 0..bytes.len() {
            fs::write(&path, &bytes[..length]).expect("it is written");
            assert_damaged(
                &store,
                &path,
                &format!("{length} bytes of {}", path.display()),
            );
        }
        fs::write(&path, bytes).expect("it is written");
        store.verify(STEP).expect("it is as it was");
    }
}

#[test]
fn every_lost_file_is_seen_and_one_too_many_is_no_harm() {
    let (_folder, store) = run_state();
    for (path, bytes) in files(&store) {
        fs::remove_file(&path).expect("it is removed");
        let error = store.verify(STEP).expect_err("it is missing");
        assert_eq!(
            error.to_string(),
            format!(
                "{}: found no such file, expected one: the run state is damaged",
                path.display()
            )
        );
        fs::write(&path, bytes).expect("it is written");
    }
    // A file that someone has put beside them is no damage.
    fs::write(store.path(STEP).join("notes.txt"), "").expect("it is written");
    store.verify(STEP).expect("it is as it was");
}

#[test]
fn a_damaged_file_is_named_with_what_was_found() {
    let (_folder, store) = run_state();
    let path = store.path(STEP).join("state.txt");
    let start = path.display();
    fs::write(&path, "step").expect("it is written");
    assert_eq!(
        store.verify(STEP).expect_err("it is shorter").to_string(),
        format!("{start}: found 4 bytes, expected 8: the run state is damaged")
    );
    fs::write(&path, "step 101").expect("it is written");
    let RecordError::Sha256 {
        found, expected, ..
    } = store.verify(STEP).expect_err("it is another")
    else {
        panic!("its length is the same");
    };
    assert_eq!((found.len(), expected.len()), (64, 64));
    assert_eq!(
        store.verify(STEP).expect_err("it is another").to_string(),
        format!("{start}: found SHA-256 {found}, expected {expected}: the run state is damaged")
    );
}

#[test]
fn a_folder_in_a_files_place_is_seen() {
    let (_folder, store) = run_state();
    for name in ["empty", "checksums.json"] {
        let path = store.path(STEP).join(name);
        fs::remove_file(&path).expect("it is removed");
        fs::create_dir(&path).expect("it is made");
        let error = store.verify(STEP).expect_err("it is a folder");
        assert!(matches!(error, RecordError::NotAFile { .. }), "{error}");
        assert!(error.is_damage());
    }
}

#[test]
fn the_newest_intact_one_is_found_below_damaged_ones() {
    let (_folder, store) = run_state();
    for step in [200, 300] {
        write(&store, step, &[]);
    }
    let newest = store.newest_intact().expect("it is listed");
    assert_eq!(newest.step, Some(300));
    assert!(newest.damaged.is_empty());

    fs::remove_file(store.path(300).join("checksums.json")).expect("it is removed");
    fs::write(store.path(200).join("state.txt"), "").expect("it is written");
    let newest = store.newest_intact().expect("it is listed");
    assert_eq!(newest.step, Some(STEP));
    let steps: Vec<u64> = newest.damaged.iter().map(|(step, _)| *step).collect();
    assert_eq!(steps, [300, 200]);
    for (step, error) in &newest.damaged {
        let start = store.path(*step).display().to_string();
        assert!(error.to_string().starts_with(&start), "{error}");
    }

    store.remove(STEP).expect("it is removed");
    let newest = store.newest_intact().expect("it is listed");
    assert_eq!((newest.step, newest.damaged.len()), (None, 2));
}

#[test]
fn an_empty_store_has_no_newest() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let newest = open(folder.path(), 1)
        .newest_intact()
        .expect("it is listed");
    assert_eq!((newest.step, newest.damaged.len()), (None, 0));
}

/// A link that leads to itself: unlike a file's permissions it keeps the superuser out, too.
#[cfg(unix)]
#[test]
fn an_unreadable_run_state_is_passed_over() {
    use std::os::unix::fs::symlink;

    let (folder, store) = run_state();
    symlink("step-00000200", folder.path().join("step-00000200")).expect("it is made");
    let newest = store.newest_intact().expect("it is listed");
    assert_eq!(newest.step, Some(STEP));
    let [(200, error)] = newest.damaged.as_slice() else {
        panic!("one is unreadable: {newest:?}");
    };
    assert!(!error.is_damage(), "{error}");
    let start = store.path(200).display().to_string();
    assert!(error.to_string().starts_with(&start), "{error}");
}
