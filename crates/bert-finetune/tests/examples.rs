//! The examples, run as a reader of them would.

#![allow(clippy::unwrap_used, reason = "a test ends by panicking")]

use std::path::Path;
use std::process::Command;

/// Runs an example that cargo has built for this test, in the repository.
fn run(example: &str, arguments: &[&str]) -> String {
    let test = std::env::current_exe().unwrap();
    let built = test.parent().unwrap().parent().unwrap().join("examples");
    let name = format!("{example}{}", std::env::consts::EXE_SUFFIX);
    let output = Command::new(built.join(name))
        .args(arguments)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_squad_demo_is_trained_and_asked() {
    let dir = tempfile::tempdir().unwrap();
    let printed = run(
        "squad_demo",
        &[dir.path().join("out").to_str().unwrap(), "32"],
    );
    let mut lines = printed.lines();
    let f1: f64 = lines
        .next()
        .unwrap()
        .strip_prefix("F1 ")
        .unwrap()
        .parse()
        .unwrap();
    assert!((0.0..=100.0).contains(&f1), "{printed}");
    // An answer is a part of the passage.
    assert!(
        "The tower was built in 1889.".contains(lines.next().unwrap()),
        "{printed}"
    );
}

#[test]
fn texts_in_memory_are_learnt_by_heart() {
    let dir = tempfile::tempdir().unwrap();
    let printed = run(
        "texts_in_memory",
        &[dir.path().join("out").to_str().unwrap()],
    );
    assert!(printed.starts_with("accuracy 1.0\n"), "{printed}");
}
