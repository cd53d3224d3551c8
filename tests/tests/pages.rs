//! The documentation keeps up with the tree.
//!
//! A failure says what to change.

#![allow(clippy::unwrap_used, reason = "a test ends by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const ARCHITECTURE: &str = "docs/architecture.md";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn fail_on(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

/// The names of the folders in a folder.
fn folders(path: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect()
}

/// The part of a document under the heading `## heading`.
fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let start = text
        .find(&format!("\n## {heading}\n"))
        .unwrap_or_else(|| panic!("{ARCHITECTURE}: found no section \"## {heading}\""));
    let rest = &text[start + 1..];
    let end = rest.find("\n## ").unwrap_or(rest.len());
    &rest[..end]
}

/// A paragraph of the section "Crates" that begins with a crate's name, with its list of invariants.
struct CratePart<'a> {
    name: &'a str,
    lines: Vec<&'a str>,
}

impl CratePart<'_> {
    /// The crate's folder below the root.
    fn folder(&self) -> String {
        let in_crates = format!("crates/{}", self.name);
        if root().join(&in_crates).is_dir() {
            in_crates
        } else {
            self.name.to_owned()
        }
    }

    /// Where a path of this part leads: a file of the crate, or one named from the root.
    fn resolve(&self, path: &str) -> Option<PathBuf> {
        [format!("{}/{path}", self.folder()), path.to_owned()]
            .iter()
            .map(|path| root().join(path))
            .find(|path| path.exists())
    }
}

fn crate_parts(page: &str) -> Vec<CratePart<'_>> {
    let mut parts: Vec<CratePart<'_>> = Vec::new();
    for line in section(page, "Crates").lines() {
        let name = line
            .strip_prefix("**`")
            .and_then(|line| line.split_once("`**"));
        if let Some((name, _)) = name {
            parts.push(CratePart {
                name,
                lines: Vec::new(),
            });
        }
        if let Some(part) = parts.last_mut() {
            part.lines.push(line);
        }
    }
    parts
}

/// The text between backticks.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Whether code is a path: `src/lib.rs` and `crates/bert-cli` are, `TokenBatch` and `--flag` are not.
fn is_path(word: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "/_-.".contains(c);
    let starts = ["crates/", "docs/", "data/", "src/", "tests/", "xtask/"];
    word.chars().all(is_allowed) && starts.iter().any(|start| word.starts_with(start))
}

#[test]
fn the_architecture_page_names_every_crate() {
    let page = read(ARCHITECTURE);
    let parts = crate_parts(&page);
    let named: BTreeSet<String> = parts.iter().map(|part| part.name.to_owned()).collect();
    let mut expected = folders("crates");
    expected.extend(["fuzz", "tests", "xtask"].map(str::to_owned));
    let missing = expected.difference(&named).map(|name| {
        format!("{ARCHITECTURE}: the section Crates has no paragraph that begins with **`{name}`**: write one")
    });
    let gone = named.difference(&expected).map(|name| {
        format!("{ARCHITECTURE}: the section Crates names {name}, which does not exist: remove its paragraph")
    });
    fail_on(&missing.chain(gone).collect::<Vec<_>>());
    assert_eq!(
        parts.len(),
        named.len(),
        "{ARCHITECTURE}: a crate has two paragraphs"
    );
}

#[test]
fn the_diagram_shows_every_library() {
    let page = read(ARCHITECTURE);
    let diagram = page.split("```").nth(1).unwrap_or_default();
    let names: BTreeSet<&str> = diagram
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .filter(|word| word.starts_with("bert-"))
        .collect();
    let crates = folders("crates");
    let expected: BTreeSet<&str> = crates
        .iter()
        .map(String::as_str)
        .filter(|name| name.starts_with("bert-"))
        .collect();
    assert_eq!(names, expected, "{ARCHITECTURE}: correct the diagram");
}

#[test]
fn paths_of_the_architecture_page_exist() {
    let page = read(ARCHITECTURE);
    let mut problems = Vec::new();
    let mut check = |path: &str, exists: bool| {
        if !exists {
            problems.push(format!(
                "{ARCHITECTURE}: names {path}, which does not exist: correct the page"
            ));
        }
    };
    for part in crate_parts(&page) {
        for line in &part.lines {
            for word in code(line).filter(|word| is_path(word)) {
                check(word, part.resolve(word).is_some());
            }
        }
    }
    let others = page.replacen(section(&page, "Crates"), "", 1);
    // Paths outside of backticks count too, so blocks of commands are checked.
    let mut rest = others.as_str();
    while let Some(at) = rest.find("crates/") {
        rest = &rest[at..];
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && !"/_-.".contains(c))
            .unwrap_or(rest.len());
        let path = rest[..end].trim_end_matches('.');
        check(path, root().join(path).exists());
        rest = &rest[end..];
    }
    for word in code(&others).filter(|word| is_path(word)) {
        check(word, root().join(word).exists());
    }
    fail_on(&problems);
}

#[test]
fn every_invariant_names_a_test_that_exists() {
    let page = read(ARCHITECTURE);
    let mut problems = Vec::new();
    let mut invariants = 0;
    for part in crate_parts(&page) {
        for line in part.lines.iter().filter(|line| line.starts_with("- ")) {
            invariants += 1;
            let tests: Vec<(&str, &str)> = code(line)
                .filter_map(|word| word.split_once(".rs::"))
                .collect();
            if tests.is_empty() {
                problems.push(format!(
                    "{ARCHITECTURE}: {}: an invariant names no test: add `FILE.rs::TEST` to {line:?}",
                    part.name
                ));
            }
            for (file, test) in tests {
                let source = part
                    .resolve(&format!("{file}.rs"))
                    .and_then(|path| fs::read_to_string(path).ok())
                    .unwrap_or_default();
                if !has_test(&source, test) {
                    problems.push(format!(
                        "{ARCHITECTURE}: {}: an invariant names {file}.rs::{test}, found no such test: \
                         name the test that enforces the invariant now, or write one",
                        part.name
                    ));
                }
            }
        }
    }
    assert!(
        invariants > 40,
        "{ARCHITECTURE}: found {invariants} invariants, expected more than 40: restore the lists in the section Crates"
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

/// The Markdown files that a reader starts from.
fn pages() -> Vec<String> {
    let mut pages: Vec<String> = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
        .map(str::to_owned)
        .to_vec();
    let docs = fs::read_dir(root().join("docs")).unwrap();
    let names = docs.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    pages.extend(
        names
            .filter(|name| name.ends_with(".md"))
            .map(|name| format!("docs/{name}")),
    );
    pages.sort();
    pages
}

#[test]
fn links_of_the_documentation_lead_somewhere() {
    let mut problems = Vec::new();
    let mut links = 0;
    for page in pages() {
        let text = read(&page);
        let folder = Path::new(&page).parent().unwrap();
        for target in link_targets(&text) {
            if target.contains("://") {
                continue;
            }
            links += 1;
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let linked = if path.is_empty() {
                PathBuf::from(&page)
            } else {
                folder.join(path)
            };
            if !root().join(&linked).exists() {
                problems.push(format!("{page}: links to {target}, which does not exist"));
            } else if !anchor.is_empty() {
                let linked = fs::read_to_string(root().join(&linked)).unwrap();
                if !anchors(&linked).contains(anchor) {
                    problems.push(format!("{page}: links to {target}, found no such heading"));
                }
            }
        }
    }
    assert!(
        links > 20,
        "found {links} links, expected more than 20: correct link_targets"
    );
    fail_on(&problems);
}

/// What `[text](target)`, `![text](target)` and `<img src="target">` name.
fn link_targets(text: &str) -> Vec<&str> {
    let markdown = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'));
    let html = text
        .split(" src=\"")
        .skip(1)
        .filter_map(|rest| rest.split_once('"'));
    markdown.chain(html).map(|(target, _)| target).collect()
}

/// The headings of a page as GitHub names them: lower case, punctuation dropped, spaces as hyphens.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut in_code = false;
    let headings = text.lines().filter(move |line| {
        in_code ^= line.starts_with("```");
        !in_code && line.starts_with('#')
    });
    headings
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = title
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}
