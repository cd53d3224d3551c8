//! A skipped test, as CI and a developer see it: this test program, started again with other variables.

use std::env;
use std::fs;
use std::process::{Command, Output};

use bert_test_support::{LIST_VARIABLE, Prerequisite, shared_file, skip};

/// Chooses what the test below lacks; without it the test does nothing.
const LACKS: &str = "BERT_TEST_SUPPORT_LACKS";

#[test]
fn a_test_that_lacks_something() {
    match env::var(LACKS).as_deref() {
        Ok("browser") => skip(Prerequisite::Browser, "found no browser"),
        Ok("mount") => skip(Prerequisite::Mount, "found no right to mount"),
        _ => {}
    }
}

/// Runs the test above.
fn run(lacks: &str, variables: &[(&str, &str)]) -> Output {
    Command::new(env::current_exe().expect("this program has a path"))
        .args(["--exact", "a_test_that_lacks_something", "--nocapture"])
        .env_remove("CI")
        .env_remove(LIST_VARIABLE)
        .env(LACKS, lacks)
        .envs(variables.iter().copied())
        .output()
        .expect("it starts")
}

#[test]
fn a_skip_is_one_line_that_is_also_listed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let list = folder.path().join("ci/skipped.txt");
    let variables = [
        (LIST_VARIABLE, list.to_str().expect("UTF-8")),
        ("CARGO_PKG_NAME", "bert-example"),
        ("CI", "true"),
    ];
    let line = "skipped: bert-example a_test_that_lacks_something: found no right to mount\n";
    for times in 1..=2 {
        let output = run("mount", &variables);
        assert!(output.status.success());
        assert!(String::from_utf8_lossy(&output.stderr).contains(line));
        let listed = fs::read_to_string(&list).expect("it is there");
        assert_eq!(listed, line.repeat(times));
    }
}

#[test]
fn ci_fails_without_what_it_installs() {
    assert!(run("browser", &[]).status.success());
    assert!(run("browser", &[("CI", "false")]).status.success());
    let output = run("browser", &[("CI", "true")]);
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("found no browser; with CI=true"), "{said}");
}

#[test]
fn a_shared_file_is_found_or_the_test_is_skipped() {
    if Prerequisite::SharedFiles.is_required_in_ci() {
        assert!(shared_file(".").is_some());
    } else {
        assert_eq!(shared_file("."), None);
    }
}
