//! Locks that are waited for.

use std::{ops::ControlFlow, sync::mpsc, thread};

use bert_files::FileLock;

#[test]
fn a_lock_is_waited_for_and_its_file_stays() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("model.lock");
    let first = FileLock::wait(&path, || ControlFlow::Break(())).expect("it can be locked");
    let first = first.expect("nobody holds it");
    assert!(first.is_held());
    let (tell, told) = mpsc::channel();
    thread::scope(|threads| {
        let waiting = threads.spawn(|| {
            let second = FileLock::wait(&path, || {
                tell.send(()).expect("it is listened to");
                ControlFlow::Continue(())
            });
            second.expect("it can be locked").is_some()
        });
        told.recv().expect("the second waits");
        drop(first);
        assert!(waiting.join().expect("it has the lock"));
    });
    assert!(path.exists());
}

#[test]
fn waiting_ends_when_it_is_told_to() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("model.lock");
    let held = FileLock::wait(&path, || ControlFlow::Break(())).expect("it can be locked");
    assert!(held.is_some());
    let mut asked = 0;
    let second = FileLock::wait(&path, || {
        asked += 1;
        if asked < 2 {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    });
    assert!(second.expect("it can be locked").is_none());
    assert_eq!(asked, 2);
}

#[test]
fn a_lock_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("none/model.lock");
    let message = FileLock::wait(&path, || ControlFlow::Break(()))
        .expect_err("there is no such folder")
        .to_string();
    assert_eq!(
        message,
        format!(
            "{}: cannot be locked: no such file or directory",
            path.display()
        )
    );
}
