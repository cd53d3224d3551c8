//! What an interrupted run leaves, and the next one finds.

use std::fs;

use crate::fixture::{names, open, state, write};

#[test]
fn opening_tidies_up() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write(&open(folder.path(), 2), 100, &[]);
    for name in [
        ".writing-1-0-step-00000200",
        ".removing-1-0-step-00000050",
        ".replaced-1-0-step-00000100",
        ".replaced-nonsense",
    ] {
        fs::create_dir(folder.path().join(name)).expect("it is made");
        fs::write(folder.path().join(name).join("part"), "x").expect("it is written");
    }
    fs::create_dir(folder.path().join(".git")).expect("it is made");
    fs::write(folder.path().join("notes.txt"), "mine").expect("it is written");
    let store = open(folder.path(), 2);
    assert_eq!(names(folder.path()), [".git", "notes.txt", "step-00000100"]);
    store.verify(100).expect("it is whole");
}

#[test]
fn a_run_state_whose_replacement_never_came_gets_its_name_back() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = open(folder.path(), 1);
    write(&store, 100, &[]);
    fs::rename(
        store.path(100),
        folder.path().join(".replaced-1-0-step-00000100"),
    )
    .expect("it is renamed");
    let store = open(folder.path(), 1);
    assert_eq!(names(folder.path()), ["step-00000100"]);
    assert_eq!(state(&store, 100), "step 100");
}

#[test]
fn half_of_a_replaced_run_state_does_not() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = open(folder.path(), 1);
    write(&store, 100, &[]);
    let away = folder.path().join(".replaced-1-0-step-00000100");
    fs::rename(store.path(100), &away).expect("it is renamed");
    fs::remove_file(away.join("empty")).expect("it is removed");
    open(folder.path(), 1);
    assert_eq!(names(folder.path()), [""; 0]);
}

#[cfg(unix)]
#[test]
fn links_are_taken_away_and_not_followed() {
    use std::os::unix::fs::symlink;

    let folder = tempfile::tempdir().expect("a temporary folder");
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    fs::write(elsewhere.path().join("kept"), "").expect("it is written");
    symlink(elsewhere.path(), folder.path().join(".removing-link")).expect("it is made");
    symlink("nowhere", folder.path().join(".writing-link")).expect("it is made");
    open(folder.path(), 1);
    assert_eq!(names(folder.path()), [""; 0]);
    assert_eq!(names(elsewhere.path()), ["kept"]);
}
