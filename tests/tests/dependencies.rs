//! No dependency of the workspace is left over. `cargo machete` finds those of a package that no file names.

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
