//! `deploy/install.sh` installs what it has checked, or nothing.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test ends by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// Every file of an archive that the script names, beside the program.
const FILES: [&str; 8] = [
    "README.md",
    "LICENSE-MIT",
    "THIRD-PARTY-LICENSES.html",
    "bert.service",
    "man/bert.1",
    "completions/bert.bash",
    "completions/_bert",
    "completions/bert.fish",
];

/// A folder as `cargo xtask dist` leaves it, whose program is a script.
fn dist(program: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::copy(
        root.join("deploy/install.sh"),
        dir.path().join("install.sh"),
    )
    .unwrap();
    let make = format!(
        "set -e; name=bert-1.2.3-$(uname -m)-unknown-linux-gnu
         mkdir -p $name/man $name/completions; touch $name/{{{}}}
         printf '%s\\n' '#!/bin/sh' '{program}' > $name/bert; chmod +x $name/bert
         tar -czf $name.tar.gz $name; sha256sum $name.tar.gz > SHA256SUMS; rm -r $name",
        FILES.join(",")
    );
    let mut shell = Command::new("bash");
    let made = shell.arg("-c").arg(make).current_dir(dir.path()).status();
    assert!(made.unwrap().success());
    dir
}

fn install(dist: &TempDir, prefix: &Path) -> Output {
    let mut script = Command::new("sh");
    script.arg(dist.path().join("install.sh"));
    script.arg("--prefix").arg(prefix).output().unwrap()
}

fn archive(dist: &TempDir) -> PathBuf {
    let listing = fs::read_dir(dist.path()).unwrap();
    let mut paths = listing.map(|entry| entry.unwrap().path());
    paths
        .find(|path| path.extension().is_some_and(|it| it == "gz"))
        .unwrap()
}

/// One line, exit code 2, and no file.
fn assert_refused(dist: &TempDir, reason: &str) {
    let prefix = dist.path().join("prefix");
    let output = install(dist, &prefix);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    let last = stderr.lines().last().unwrap();
    assert!(
        last.starts_with("error: ") && last.contains(reason),
        "{stderr}"
    );
    assert!(!prefix.exists());
}

#[test]
fn what_is_in_the_archive_is_installed_and_replaces_an_older_program() {
    let prefix = tempfile::tempdir().unwrap();
    for version in ["bert 1", "bert 2"] {
        let dist = dist(&format!("echo {version}"));
        let output = install(&dist, prefix.path());
        assert!(output.status.success(), "{output:?}");
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert!(
            stdout.starts_with(&format!("installed {version} in ")),
            "{stdout}"
        );
        let said = Command::new(prefix.path().join("bin/bert"))
            .output()
            .unwrap();
        assert_eq!(said.stdout, format!("{version}\n").as_bytes());
    }
    for file in [
        "share/man/man1/bert.1",
        "share/doc/bert/LICENSE-MIT",
        "share/doc/bert/bert.service",
        "share/bash-completion/completions/bert",
        "share/zsh/site-functions/_bert",
        "share/fish/vendor_completions.d/bert.fish",
    ] {
        assert!(prefix.path().join(file).is_file(), "{file}");
    }
    assert_eq!(fs::read_dir(prefix.path().join("bin")).unwrap().count(), 1);
}

#[test]
fn an_archive_with_another_sum_is_refused() {
    let dist = dist("echo bert 1");
    let archive = archive(&dist);
    let mut bytes = fs::read(&archive).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&archive, bytes).unwrap();
    assert_refused(&dist, "found another sum than SHA256SUMS has");
}

#[test]
fn a_program_that_does_not_start_is_refused() {
    assert_refused(&dist("exit 127"), "does not start on this machine");
}

#[test]
fn a_list_without_one_archive_of_this_machine_is_refused() {
    let dist = dist("echo bert 1");
    let list = dist.path().join("SHA256SUMS");
    let line = fs::read_to_string(&list).unwrap();
    fs::write(&list, format!("{line}{line}")).unwrap();
    assert_refused(&dist, "found several archives");
    let machine = Command::new("uname").arg("-m").output().unwrap().stdout;
    let machine = String::from_utf8(machine).unwrap();
    fs::write(&list, line.replace(machine.trim(), "vax")).unwrap();
    assert_refused(&dist, "found no archive");
}
