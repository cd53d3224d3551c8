//! The tree keeps its own rules, and the documentation keeps up with the tree.
//!
//! A failure says what to change.

#![allow(clippy::unwrap_used, reason = "a test ends by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const ARCHITECTURE: &str = "docs/architecture.md";
const FLAGS: &str = "crates/bert-cli/src/args";
const LONGEST_FILE: usize = 500;

/// Packages that compile in seconds because nothing under them is a tensor library.
const WITHOUT_BURN: [&str; 12] = [
    "bert-checkpoints",
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

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
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

/// The part of a document under a `## ` heading that starts with `heading`.
fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let start = text
        .find(&format!("\n## {heading}"))
        .unwrap_or_else(|| panic!("found no section \"## {heading}\""));
    let rest = &text[start + 1..];
    let end = rest.find("\n## ").unwrap_or(rest.len());
    &rest[..end]
}

fn fail_on(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn the_code_map_names_every_crate() {
    let text = read(ARCHITECTURE);
    let map = section(&text, "Code map");
    let missing: Vec<String> = entries(&root().join("crates"))
        .iter()
        .filter(|path| path.is_dir())
        .map(|path| file_name(path))
        .filter(|name| !map.contains(&format!("`crates/{name}`")))
        .map(|name| {
            format!("{ARCHITECTURE}: the code map does not name `crates/{name}`: add a row")
        })
        .collect();
    fail_on(&missing);
}

#[test]
fn paths_in_the_architecture_page_exist() {
    let text = read(ARCHITECTURE);
    let mut problems = Vec::new();
    for (at, _) in text.match_indices("crates/") {
        let is_path = |c: char| c.is_ascii_alphanumeric() || "/_-.".contains(c);
        let rest = &text[at..];
        let end = rest.find(|c: char| !is_path(c)).unwrap_or(rest.len());
        let path = rest[..end].trim_end_matches('.');
        if !root().join(path).exists() {
            problems.push(format!(
                "{ARCHITECTURE}: names {path}, which does not exist: correct the page"
            ));
        }
    }
    fail_on(&problems);
}

#[test]
fn every_invariant_names_a_test_that_exists() {
    let text = read(ARCHITECTURE);
    let mut problems = Vec::new();
    let mut rows = 0;
    // The first two rows are the table's head.
    let table = section(&text, "Invariants")
        .lines()
        .filter(|line| line.starts_with('|'))
        .skip(2);
    for row in table {
        rows += 1;
        let tests: Vec<(&str, &str)> = row
            .split('`')
            .filter_map(|word| word.split_once(".rs::"))
            .collect();
        if tests.is_empty() {
            problems.push(format!(
                "{ARCHITECTURE}: an invariant names no test: add `FILE.rs::TEST` to {row:?}"
            ));
        }
        for (file, test) in tests {
            let file = format!("{file}.rs");
            let source = fs::read_to_string(root().join(&file)).unwrap_or_default();
            if !has_test(&source, test) {
                problems.push(format!(
                    "{ARCHITECTURE}: an invariant names {file}::{test}, found no such test: \
                     name the test that holds the invariant now, or write one"
                ));
            }
        }
    }
    assert!(
        rows > 0,
        "{ARCHITECTURE}: found no table of invariants: restore it"
    );
    fail_on(&problems);
}

/// Whether a source file has `#[test] fn name(`, other attributes and comments between them allowed.
fn has_test(source: &str, name: &str) -> bool {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let signature = format!("fn {name}(");
    lines.iter().enumerate().any(|(at, line)| {
        line.starts_with(&signature)
            && lines[..at]
                .iter()
                .rev()
                .take_while(|line| line.starts_with('#') || line.starts_with("//"))
                .any(|line| *line == "#[test]")
    })
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
    let mut open: Vec<PathBuf> = ["crates", "xtask", "tests"]
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

#[test]
fn the_readme_lists_every_training_flag() {
    let readme = read("README.md");
    let table: String = section(&readme, "Flags of the training commands")
        .lines()
        .filter(|line| line.starts_with('|'))
        .collect();
    let listed: BTreeSet<&str> = table
        .split(['`', ' '])
        .filter(|word| word.starts_with("--"))
        .collect();
    let source: String = entries(&root().join(FLAGS))
        .iter()
        .map(|file| format!("{}\n", read(&format!("{FLAGS}/{}", file_name(file)))))
        .collect();
    for (verb, arguments) in [
        ("train-squad", "TrainSquadArgs"),
        ("train-swag", "TrainSwagArgs"),
        ("train-glue", "TrainGlueArgs"),
    ] {
        let flags = flags(&source, arguments);
        assert!(
            flags.len() > 20,
            "{FLAGS}: found {} flags of {arguments}, expected more: correct the parser in tests/tests/tidy.rs",
            flags.len()
        );
        let missing: Vec<String> = flags
            .iter()
            .filter(|flag| !listed.contains(flag.as_str()))
            .map(|flag| format!("README.md: the table of flags lacks {flag} of {verb}: add a row"))
            .collect();
        fail_on(&missing);
    }
}

/// The long flags of a clap struct and of those flattened into it, hidden ones excepted.
fn flags(source: &str, name: &str) -> Vec<String> {
    let start = format!("pub(crate) struct {name} {{");
    assert!(
        source.contains(&start),
        "{FLAGS}: found no struct {name}: correct the tidy test in tests/tests/tidy.rs"
    );
    let body = source
        .lines()
        .skip_while(|line| *line != start)
        .skip(1)
        .take_while(|line| *line != "}");
    let mut found = Vec::new();
    let mut attributes = String::new();
    for line in body.map(str::trim).filter(|line| !line.starts_with("//")) {
        let Some((field, kind)) = line
            .strip_prefix("pub(crate) ")
            .and_then(|field| field.split_once(": "))
        else {
            attributes.push_str(line);
            continue;
        };
        if attributes.contains("flatten") {
            found.extend(flags(source, kind.trim_end_matches(',')));
        } else if attributes.contains("long") && !attributes.contains("hide = true") {
            found.push(format!("--{}", field.replace('_', "-")));
        }
        attributes.clear();
    }
    found
}
