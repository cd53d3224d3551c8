//! Running the binary.

use std::process::{Command, Output};

use bert_test_support::repository;

pub(crate) fn bert(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bert"))
        .args(arguments)
        .current_dir(repository())
        .output()
        .unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Runs a command that must succeed, and returns what it prints.
pub(crate) fn done(arguments: &[&str]) -> String {
    let output = bert(arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    stdout(&output)
}

/// Runs a command that must fail with code 2, and returns its one line.
pub(crate) fn refused(arguments: &[&str]) -> String {
    let output = bert(arguments);
    let stderr = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(output.stdout.is_empty());
    let errors: Vec<&str> = stderr
        .lines()
        .filter(|line| line.starts_with("error: "))
        .collect();
    assert_eq!(errors.len(), 1, "{stderr}");
    errors[0].to_owned()
}

/// Runs the binary with these variables and without any other of the hub's.
pub(crate) fn bert_with(variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bert"));
    for name in [
        "HF_ENDPOINT",
        "HF_HOME",
        "HF_HUB_CACHE",
        "HF_HUB_OFFLINE",
        "HF_HUB_DOWNLOAD_TIMEOUT",
        "HF_TOKEN",
    ] {
        command.env_remove(name);
    }
    command
        .envs(variables.iter().copied())
        .env("NO_PROXY", "127.0.0.1");
    command.args(arguments);
    command.current_dir(repository()).output().unwrap()
}
