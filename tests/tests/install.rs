//! `deploy/install.sh` installs what it has checked, or nothing.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(clippy::unwrap_used, reason = "a test ends by panicking")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// Every file of an archive that the script names, beside the program.
const FILES: [&str; 8] = [
    "README.md",
    "LICENSE-MIT",
    "licences/crates.html",
    "bert.service",
    "man/bert.1",
    "completions/bert.bash",
    "completions/_bert",
    "completions/bert.fish",
];

/// A folder as `cargo xtask dist` leaves it, whose program is a script: in it `LEVEL` stands for the archive's level.
fn dist(program: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::copy(
        bert_test_support::repository().join("deploy/install.sh"),
        dir.path().join("install.sh"),
    )
    .unwrap();
    let make = format!(
        "set -e; for LEVEL in v2 v4; do
             name=bert-1.2.3-x86_64-unknown-linux-gnu-$LEVEL
             mkdir -p $name/man $name/completions $name/licences; touch $name/{{{}}}
             printf '%s\\n' '#!/bin/sh' \"{program}\" > $name/bert; chmod +x $name/bert
             tar -czf $name.tar.gz $name; rm -r $name
         done; sha256sum *.tar.gz > SHA256SUMS",
        FILES.join(",")
    );
    let mut shell = Command::new("bash");
    let made = shell.arg("-c").arg(make).current_dir(dir.path()).status();
    assert!(made.unwrap().success());
    dir
}

fn install(dist: &TempDir, prefix: &Path, flags: &[&str]) -> Output {
    let mut script = Command::new("sh");
    script.arg(dist.path().join("install.sh"));
    script.arg("--prefix").arg(prefix).args(flags);
    script.output().unwrap()
}

/// Changes a file of the folder.
fn change(dist: &TempDir, file: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let path = dist.path().join(file);
    let mut bytes = fs::read(&path).unwrap();
    change(&mut bytes);
    fs::write(&path, bytes).unwrap();
}

/// One line, exit code 2, and no file.
fn assert_refused(dist: &TempDir, flags: &[&str], reason: &str) {
    let prefix = dist.path().join("prefix");
    let output = install(dist, &prefix, flags);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(
        stderr.starts_with("error: ") && stderr.contains(reason) && stderr.lines().count() == 1,
        "{stderr}"
    );
    assert!(!prefix.exists());
}

const ARCHIVE: &str = "bert-1.2.3-x86_64-unknown-linux-gnu-v2.tar.gz";

#[test]
fn what_is_in_the_archive_is_installed_and_replaces_an_older_program() {
    let prefix = tempfile::tempdir().unwrap();
    for version in ["bert 1", "bert 2"] {
        let dist = dist(&format!("echo {version}"));
        let output = install(&dist, prefix.path(), &[]);
        assert!(output.status.success(), "{output:?}");
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert!(
            stdout.starts_with(&format!("installed {version}, level v")),
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
        "share/doc/bert/licences/crates.html",
        "share/bash-completion/completions/bert",
        "share/zsh/site-functions/_bert",
        "share/fish/vendor_completions.d/bert.fish",
    ] {
        assert!(prefix.path().join(file).is_file(), "{file}");
    }
    assert_eq!(fs::read_dir(prefix.path().join("bin")).unwrap().count(), 1);
}

#[test]
fn the_level_is_the_processors_highest_or_the_named_one() {
    let has_v4 = ["f", "bw", "cd", "dq", "vl"].iter().all(|it| {
        let flags = fs::read_to_string("/proc/cpuinfo").unwrap();
        flags.contains(&format!(" avx512{it}"))
    });
    let highest = if has_v4 { "v4" } else { "v2" };
    let dist = dist("echo bert 1 $LEVEL");
    let address = format!("file://{}", dist.path().display());
    for (flags, level) in [
        (&[][..], highest),
        (&["--from", &address], highest),
        (&["--level", "v2"], "v2"),
        (&["--level", "v2", "--from", &address], "v2"),
    ] {
        let prefix = tempfile::tempdir().unwrap();
        let output = install(&dist, prefix.path(), flags);
        let stdout = String::from_utf8(output.stdout).unwrap();
        let expected = format!("installed bert 1 {level}, level {level}, in ");
        assert!(stdout.starts_with(&expected), "{flags:?}: {stdout}");
    }
    assert_refused(&dist, &["--level", "v3"], "found v3, expected v2 or v4");
    if !has_v4 {
        assert_refused(&dist, &["--level", "v4"], "this processor lacks ");
    }
}

#[test]
fn an_archive_with_another_sum_or_a_part_of_one_is_refused() {
    let reason = "found another sum than SHA256SUMS has";
    let changed = dist("echo bert 1");
    change(&changed, ARCHIVE, |bytes| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    });
    assert_refused(&changed, &["--level", "v2"], reason);
    let cut = dist("echo bert 1");
    change(&cut, ARCHIVE, |bytes| bytes.truncate(bytes.len() / 2));
    assert_refused(&cut, &["--level", "v2"], reason);
}

#[test]
fn what_cannot_be_fetched_is_named() {
    let dist = dist("echo bert 1");
    let nowhere = ["--from", "file:///nowhere"];
    assert_refused(&dist, &nowhere, "file:///nowhere/SHA256SUMS: curl: ");
    fs::remove_file(dist.path().join(ARCHIVE)).unwrap();
    assert_refused(&dist, &["--level", "v2"], ARCHIVE);
}

#[test]
fn a_program_that_does_not_start_is_refused_with_what_it_says() {
    let dist = dist("echo no glibc >&2; exit 127");
    let reason = "does not start on this machine; nothing is installed: no glibc";
    assert_refused(&dist, &[], reason);
}

#[test]
fn a_prefix_that_cannot_be_written_to_is_refused() {
    let dist = dist("echo bert 1");
    let output = install(&dist, Path::new("/proc/bert"), &[]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("/proc/bert"), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
}

#[test]
fn a_list_without_one_archive_of_the_level_is_refused() {
    let dist = dist("echo bert 1");
    let level = ["--level", "v2"];
    change(&dist, "SHA256SUMS", |list| list.extend(list.clone()));
    assert_refused(&dist, &level, "found several archives of level v2");
    change(&dist, "SHA256SUMS", Vec::clear);
    assert_refused(&dist, &level, "found no archive of level v2");
}
