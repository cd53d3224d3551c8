//! No dependency of the workspace or of a package is left over.

#![allow(clippy::unwrap_used, reason = "a test ends by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The keys of a manifest's lines in the sections that `is_wanted` chooses.
fn keys(manifest: &Path, is_wanted: fn(&str) -> bool) -> BTreeSet<String> {
    let text = fs::read_to_string(manifest)
        .unwrap_or_else(|error| panic!("{}: {error}", manifest.display()));
    let mut found = BTreeSet::new();
    let mut inside = false;
    for line in text.lines() {
        if let Some(header) = line.strip_prefix('[') {
            inside = is_wanted(header.trim_end_matches(']'));
        } else if inside && let Some((key, _)) = line.split_once('=') {
            let name = key.trim().split('.').next().unwrap();
            found.insert(name.to_owned());
        }
    }
    found
}

/// Dependencies that no file names as they are called, and why.
const UNNAMED: [(&str, &str); 3] = [
    ("cubecl-cuda", "it is there for its feature"),
    ("flate2", "it is there for its feature"),
    ("md-5", "its library is called md5"),
];

/// The source files below a folder, as one text.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text.push_str(&sources(&path));
        } else if path.extension().is_some_and(|it| it == "rs") {
            text.push_str(&fs::read_to_string(path).unwrap());
        }
    }
    text
}

/// The manifests of the members.
fn manifests(root: &Path) -> Vec<PathBuf> {
    let crates = fs::read_dir(root.join("crates")).unwrap();
    let mut folders: Vec<PathBuf> = crates.map(|entry| entry.unwrap().path()).collect();
    folders.extend(["xtask", "tests", "fuzz"].map(|it| root.join(it)));
    let manifests = folders.iter().map(|folder| folder.join("Cargo.toml"));
    manifests.filter(|path| path.is_file()).collect()
}

#[test]
fn every_dependency_of_the_workspace_is_a_member_s() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let declared = keys(&root.join("Cargo.toml"), |header| {
        header == "workspace.dependencies"
    });
    assert!(declared.len() > 20, "{declared:?}");
    let used: BTreeSet<String> = manifests(&root)
        .iter()
        .flat_map(|path| keys(path, |header| header.ends_with("dependencies")))
        .collect();
    let unused: Vec<&String> = declared.difference(&used).collect();
    assert!(
        unused.is_empty(),
        "Cargo.toml: found workspace dependencies that no member uses: {unused:?}: remove them"
    );
}

#[test]
fn every_dependency_of_a_package_is_named_in_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut unused = Vec::new();
    for manifest in manifests(&root) {
        let sources = sources(manifest.parent().unwrap());
        // The last word before each `::`.
        let words = sources
            .split("::")
            .filter_map(|text| text.rsplit(|it| !is_word(it)).next());
        let words: BTreeSet<&str> = words.collect();
        let declared = keys(&manifest, |header| header.ends_with("dependencies"));
        let left = declared.into_iter().filter(|name| {
            !words.contains(name.replace('-', "_").as_str())
                && UNNAMED.iter().all(|(unnamed, _)| unnamed != name)
        });
        unused.extend(left.map(|name| format!("{}: {name}", manifest.display())));
    }
    assert!(
        unused.is_empty(),
        "found dependencies that no file of their package names: {unused:#?}"
    );
}
