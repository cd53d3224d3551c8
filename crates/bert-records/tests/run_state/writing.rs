//! A run state is there whole, or everything is as before.

use std::{fs, io, path::Path};

use bert_records::{RecordError, RunStateStore};

use crate::fixture::{fill, names, open, state, write};

/// A caller's error, of which the store's is one.
#[derive(Debug)]
enum RunError {
    RunState(RecordError),
    Tensors(io::Error),
}

impl From<RecordError> for RunError {
    fn from(error: RecordError) -> Self {
        Self::RunState(error)
    }
}

/// Two run states where two are kept, so that the next one would supersede the first.
fn two_of_two(dir: &Path) -> RunStateStore {
    let store = open(dir, 2);
    write(&store, 100, &[]);
    write(&store, 200, &[]);
    store
}

fn assert_both_are_there(store: &RunStateStore) {
    for step in [100, 200] {
        store.verify(step).expect("it is as it was");
        assert_eq!(state(store, step), format!("step {step}"));
    }
}

#[test]
fn a_written_run_state_is_there_and_verifies() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let dir = folder.path().join("out/checkpoints");
    let store = open(&dir, 2);
    assert_eq!(store.dir(), dir);
    assert_eq!(store.steps().expect("it is listed"), [0_u64; 0]);
    write(&store, 100, &[]);
    assert_eq!(store.path(100), dir.join("step-00000100"));
    assert_eq!(names(&dir), ["step-00000100"]);
    assert_eq!(
        names(&store.path(100)),
        ["checksums.json", "empty", "state.txt"]
    );
    store.verify(100).expect("it is whole");
}

#[test]
fn a_run_state_without_files_is_one() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = open(folder.path(), 1);
    store
        .write(0, &[], |_| Ok::<_, RecordError>(()))
        .expect("it is written");
    store.verify(0).expect("it is whole");
}

#[test]
fn a_run_state_of_the_same_step_is_replaced() {
    for keep_last in [1, 2] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = open(folder.path(), keep_last);
        write(&store, 100, &[]);
        store
            .write(100, &[], |folder| {
                fs::write(folder.join("other"), "new").expect("it is written");
                Ok::<_, RecordError>(())
            })
            .expect("it is written");
        store.verify(100).expect("it is whole");
        assert_eq!(names(&store.path(100)), ["checksums.json", "other"]);
        assert_eq!(names(folder.path()), ["step-00000100"]);
    }
}

#[test]
fn a_fill_that_fails_midway_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = two_of_two(folder.path());
    for step in [200, 300] {
        let result = store.write(step, &[], |folder| {
            fs::write(folder.join("state.txt"), "half of th").expect("it is written");
            Err(RunError::Tensors(io::Error::other("the disk is full")))
        });
        let Err(RunError::Tensors(error)) = result else {
            panic!("the caller's error comes back: {result:?}");
        };
        assert_eq!(error.to_string(), "the disk is full");
        assert_eq!(names(folder.path()), ["step-00000100", "step-00000200"]);
        assert_both_are_there(&store);
    }
}

#[test]
fn a_fill_that_panics_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = two_of_two(folder.path());
    let thread = {
        let store = store.clone();
        std::thread::spawn(move || {
            let _ = store.write(300, &[], |folder| -> Result<(), RecordError> {
                fill(folder, 300)?;
                panic!("expected by the test");
            });
        })
    };
    thread.join().expect_err("it panicked");
    assert_eq!(names(folder.path()), ["step-00000100", "step-00000200"]);
}

#[test]
fn what_a_run_state_cannot_hold_is_refused_by_its_final_name() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = two_of_two(folder.path());
    type Put = fn(&Path);
    let cases: [(&str, &str, Put); 2] = [
        ("sub", "other than a plain file", |path| {
            fs::create_dir(path).expect("it is made");
        }),
        ("checksums.json", "found a file of this name", |path| {
            fs::write(path, "{}").expect("it is written");
        }),
    ];
    for (name, says, put) in cases {
        let message = store
            .write(300, &[], |folder| {
                put(&folder.join(name));
                fill(folder, 300)
            })
            .expect_err(name)
            .to_string();
        let path = store.path(300).join(name);
        assert!(
            message.starts_with(&format!("{}: ", path.display())),
            "{message}"
        );
        assert!(message.contains(says), "{message}");
        assert_eq!(names(folder.path()), ["step-00000100", "step-00000200"]);
        assert_both_are_there(&store);
    }
}

#[test]
fn a_rename_that_fails_is_taken_back() {
    for keep_last in [1, 2] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        two_of_two(folder.path());
        let store = open(folder.path(), keep_last);
        // A file in the run state's place: the folder cannot get its name.
        fs::write(store.path(300), "a user's").expect("it is written");
        let result: Result<_, RunError> = store.write(300, &[], |folder| Ok(fill(folder, 300)?));
        let Err(RunError::RunState(error)) = result else {
            panic!("the store's error comes back: {result:?}");
        };
        let message = error.to_string();
        let start = format!(
            "{}: cannot write the run state: ",
            store.path(300).display()
        );
        assert!(message.starts_with(&start), "{message}");
        assert!(!error.is_damage());
        assert_eq!(
            names(folder.path()),
            ["step-00000100", "step-00000200", "step-00000300"]
        );
        assert_both_are_there(&store);
        let kept = fs::read_to_string(store.path(300)).expect("it is there");
        assert_eq!(kept, "a user's");
    }
}

#[test]
fn impossible_places_are_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("file");
    fs::write(&file, "").expect("it is written");
    for dir in [file.clone(), file.join("checkpoints")] {
        let error = RunStateStore::open(&dir, std::num::NonZeroUsize::MIN).expect_err("a file");
        let start = format!("{}: cannot create the folder: ", dir.display());
        assert!(error.to_string().starts_with(&start), "{error}");
    }
    let store = open(&folder.path().join("gone"), 1);
    fs::remove_dir(store.dir()).expect("it is empty");
    for error in [
        store.steps().expect_err("it is gone"),
        store.verify(100).expect_err("it is gone"),
        store.remove(100).expect_err("it is gone"),
        store.newest_intact().expect_err("it is gone"),
        store
            .write(100, &[], |folder| fill(folder, 100))
            .expect_err("it is gone"),
    ] {
        let start = store.dir().display().to_string();
        assert!(error.to_string().starts_with(&start), "{error}");
        assert!(!error.is_damage(), "{error}");
    }
}
