//! The newest few are kept, and at no moment more.

use std::{
    fs,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

use bert_records::{RecordError, RunStateStore};

use crate::fixture::{names, open, write};

#[test]
fn the_newest_and_the_protected_are_kept() {
    // (kept, protected, what is written in turn, what is there then)
    type Case = (usize, &'static [u64], &'static [u64], &'static [u64]);
    let cases: [Case; 10] = [
        (1, &[], &[100, 200, 300], &[300]),
        (2, &[], &[100, 200, 300], &[200, 300]),
        (3, &[], &[100, 200], &[100, 200]),
        (1, &[100], &[100, 200, 300], &[100, 300]),
        (2, &[100], &[100, 200, 300, 400], &[100, 300, 400]),
        // A protected one among the newest does not count.
        (2, &[300], &[100, 200, 300, 400], &[200, 300, 400]),
        // The one just written counts, protected or not.
        (2, &[400], &[100, 200, 300, 400], &[300, 400]),
        // A step that is not there protects nothing.
        (1, &[7], &[100, 200], &[200]),
        // What lies above belongs to a run that this one does not continue.
        (2, &[], &[100, 300, 200], &[100, 200]),
        (1, &[], &[300, 200], &[200]),
    ];
    for (keep_last, protected, written, expected) in cases {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = open(folder.path(), keep_last);
        for &step in written {
            write(&store, step, protected);
        }
        assert_eq!(
            store.steps().expect("it is listed"),
            expected,
            "{keep_last} kept, {protected:?} protected, {written:?} written"
        );
        assert_eq!(names(folder.path()).len(), expected.len());
        for &step in expected {
            store.verify(step).expect("it is whole");
        }
    }
}

#[test]
fn fewer_are_kept_once_fewer_are_asked_for() {
    for keep_last in [1, 2] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = open(folder.path(), 5);
        for step in [1, 2, 3, 4, 5] {
            write(&store, step, &[]);
        }
        let store = open(folder.path(), keep_last);
        assert_eq!(store.steps().expect("it is listed").len(), 5);
        write(&store, 6, &[2]);
        let kept = store.steps().expect("it is listed");
        assert_eq!(
            kept,
            if keep_last == 1 {
                vec![2, 6]
            } else {
                vec![2, 5, 6]
            }
        );
    }
}

#[test]
fn steps_are_in_order_of_number() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = open(folder.path(), 3);
    for step in [99_999_999, 100_000_000, 1_000_000_000] {
        write(&store, step, &[]);
    }
    assert_eq!(
        store.steps().expect("it is listed"),
        [99_999_999, 100_000_000, 1_000_000_000]
    );
}

#[test]
fn a_users_own_entries_are_left_alone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = open(folder.path(), 1);
    fs::write(folder.path().join("notes.txt"), "mine").expect("it is written");
    for name in ["best", "step-5", "step-00000007.bak"] {
        fs::create_dir(folder.path().join(name)).expect("it is made");
        fs::write(folder.path().join(name).join("inside"), "").expect("it is written");
    }
    for step in [100, 200] {
        write(&store, step, &[]);
    }
    let store = open(folder.path(), 1);
    assert_eq!(store.steps().expect("it is listed"), [200]);
    RunStateStore::clear(folder.path()).expect("it is cleared");
    assert_eq!(
        names(folder.path()),
        ["best", "notes.txt", "step-00000007.bak", "step-5"]
    );
    assert_eq!(names(&folder.path().join("best")), ["inside"]);
}

/// Lists and verifies from one thread what another writes, until both have done it often.
fn watch(store: &RunStateStore, protected: &[u64], most: usize, least: usize) {
    write(store, 1, protected);
    let listings = AtomicUsize::new(0);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let steps = store.steps().expect("it is listed");
                assert!((least..=most).contains(&steps.len()), "{steps:?}");
                for step in steps {
                    // One that loses its name meanwhile cannot be read to the end.
                    if let Err(error) = store.verify(step) {
                        assert!(!store.path(step).exists(), "{error}");
                    }
                }
                listings.fetch_add(1, Ordering::Relaxed);
            }
        });
        let mut step = 2;
        while step < 60 || (listings.load(Ordering::Relaxed) < 60 && !watcher.is_finished()) {
            write(store, step, protected);
            step += 1;
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_listing_never_shows_too_many_or_a_part() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    watch(&open(folder.path(), 3), &[20], 4, 1);
}

#[test]
fn a_single_one_stays_until_it_is_superseded() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    watch(&open(folder.path(), 1), &[], 2, 1);
}

#[test]
fn a_removed_run_state_is_gone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = open(folder.path(), 2);
    for step in [100, 200] {
        write(&store, step, &[]);
    }
    store.remove(100).expect("it is removed");
    assert_eq!(names(folder.path()), ["step-00000200"]);
    let error = store.remove(100).expect_err("it is gone");
    assert!(
        matches!(error, RecordError::RemoveRunState { .. }),
        "{error}"
    );
}

#[test]
fn clearing_takes_the_folder_too() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let dir = folder.path().join("checkpoints");
    RunStateStore::clear(&dir).expect("it is not there");
    let store = open(&dir, 2);
    for step in [100, 200] {
        write(&store, step, &[]);
    }
    fs::create_dir(dir.join(".writing-1-0-step-00000300")).expect("it is made");
    RunStateStore::clear(&dir).expect("it is cleared");
    assert!(!dir.exists());
}
