//! The tree keeps its own rules.
//!
//! A failure says what to change.

#![allow(clippy::unwrap_used, reason = "a test ends by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const LONGEST_FILE: usize = 500;

/// Packages that compile in seconds because nothing under them is a tensor library.
const WITHOUT_BURN: [&str; 15] = [
    "bert-collective",
    "bert-corpus",
    "bert-files",
    "bert-records",
    "bert-metrics",
    "bert-prediction",
    "bert-features",
    "bert-datasets",
    "bert-tokenization",
    "bert-report",
    "bert-hub",
    "bert-serve",
    "bert-demo-data",
    "bert-test-support",
    "xtask",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The entries of a folder, sorted.
fn entries(dir: &Path) -> Vec<PathBuf> {
    let listing = fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let mut paths: Vec<PathBuf> = listing
        .map(|entry| {
            entry
                .unwrap_or_else(|error| panic!("{}: {error}", dir.display()))
                .path()
        })
        .collect();
    paths.sort();
    paths
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn fail_on(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn packages_that_do_without_burn_do_not_link_it() {
    let mut problems = Vec::new();
    for package in WITHOUT_BURN {
        let mut seen = BTreeSet::from([package.to_owned()]);
        // Each with the way that leads to it.
        let mut open = vec![vec![package.to_owned()]];
        while let Some(way) = open.pop() {
            let current = way.last().expect("a way has its first package");
            for dependency in dependencies(current, way.len() == 1) {
                let mut longer = way.clone();
                longer.push(dependency.clone());
                if is_burn(&dependency) {
                    problems.push(format!(
                        "{package} must not link Burn, found {}: move what needs a tensor to bert-model or \
                         bert-training",
                        longer.join(" → ")
                    ));
                } else if manifest(&dependency).is_some() && seen.insert(dependency) {
                    open.push(longer);
                }
            }
        }
    }
    fail_on(&problems);
}

fn is_burn(package: &str) -> bool {
    ["burn", "cubecl"]
        .iter()
        .any(|name| package == *name || package.starts_with(&format!("{name}-")))
}

/// The manifest of a workspace member, whose folder is named after it.
fn manifest(package: &str) -> Option<PathBuf> {
    [format!("crates/{package}"), package.to_owned()]
        .iter()
        .map(|folder| root().join(folder).join("Cargo.toml"))
        .find(|path| path.is_file())
}

/// The packages in a member's dependency sections; those of its tests only where asked for.
fn dependencies(package: &str, with_tests: bool) -> Vec<String> {
    let path = manifest(package).unwrap_or_else(|| {
        panic!("found no package {package}: correct WITHOUT_BURN in tests/tests/tidy.rs")
    });
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut found = Vec::new();
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            let tests_only = header.contains("dev-dependencies") && !with_tests;
            inside = header.ends_with("dependencies") && !tests_only;
            // [dependencies.NAME]
            if let Some((_, name)) = header.rsplit_once("dependencies.")
                && !tests_only
            {
                found.push(name.trim_matches('"').to_owned());
            }
            continue;
        }
        if !inside || line.starts_with('#') {
            continue;
        }
        let Some((key, value)) = line.split_once('=') else {
            continue;
        };
        let name = key.trim().split('.').next().unwrap_or_default();
        // A renamed dependency is known by its package.
        let renamed = value
            .split_once("package")
            .and_then(|(_, rest)| rest.split('"').nth(1));
        found.push(renamed.unwrap_or(name).trim_matches('"').to_owned());
    }
    found
}

#[test]
fn files_are_short() {
    let mut problems = Vec::new();
    let mut open: Vec<PathBuf> = ["crates", "xtask", "tests", "fuzz"]
        .iter()
        .map(|folder| root().join(folder))
        .collect();
    while let Some(dir) = open.pop() {
        for path in entries(&dir) {
            let name = file_name(&path);
            if path.is_dir() && name != "target" {
                open.push(path);
            } else if name.ends_with(".rs") {
                let text = fs::read_to_string(&path)
                    .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                let lines = text.lines().count();
                if lines > LONGEST_FILE {
                    problems.push(format!(
                        "{}: found {lines} lines, expected at most {LONGEST_FILE}: split it by job",
                        path.display()
                    ));
                }
            }
        }
    }
    fail_on(&problems);
}
