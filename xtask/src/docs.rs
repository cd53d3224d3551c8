//! `docs/flags.md`, written from the flags of the program.

use std::fs;
use std::process::{ExitCode, Stdio};

use anyhow::{Context, bail};

use crate::cargo::{cargo, root};

/// The page, from the workspace's root.
const PAGE: &str = "docs/flags.md";
/// The hidden verb of `bert` that prints the page.
const VERB: &str = "docs-flags";

/// Writes the page, or with `--check` fails where the committed one differs.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let check = match arguments {
        [] => false,
        [flag] if flag == "--check" => true,
        [flag, ..] => bail!("docs: found {flag:?}, expected --check or nothing"),
    };
    let output = cargo()
        .args(["run", "--quiet", "--package", "bert-cli", "--", VERB])
        .stderr(Stdio::inherit())
        .output()
        .context("cargo could not be started")?;
    if !output.status.success() {
        bail!("bert {VERB} failed");
    }
    let current = String::from_utf8(output.stdout).context("bert did not print UTF-8")?;
    let page = root().join(PAGE);
    if !check {
        fs::write(&page, current).with_context(|| format!("{PAGE}: cannot be written"))?;
        println!("{PAGE}");
        return Ok(ExitCode::SUCCESS);
    }
    let committed = fs::read_to_string(&page).with_context(|| format!("{PAGE}: cannot be read"))?;
    if let Some(difference) = difference(&committed, &current) {
        bail!("{PAGE}:{difference}: write it with cargo xtask docs");
    }
    Ok(ExitCode::SUCCESS)
}

/// The first line, counted from 1, in which two texts differ.
fn difference(committed: &str, current: &str) -> Option<String> {
    if committed == current {
        return None;
    }
    let (mut found, mut expected) = (committed.lines(), current.lines());
    for line in 1.. {
        match (found.next(), expected.next()) {
            (Some(one), Some(other)) if one == other => {}
            (None, None) => break,
            (one, other) => {
                let shown =
                    |it: Option<&str>| it.map_or("the end".to_owned(), |it| format!("{it:?}"));
                return Some(format!(
                    "{line}: found {}, expected {}",
                    shown(one),
                    shown(other)
                ));
            }
        }
    }
    Some("1: found other line ends, expected the program's".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_differs_is_named() {
        for (committed, current, expected) in [
            ("a\nb\n", "a\nb\n", None),
            ("a\nb\n", "a\nc\n", Some("2: found \"b\", expected \"c\"")),
            ("a\n", "a\nb\n", Some("2: found the end, expected \"b\"")),
            ("a\nb\n", "a\n", Some("2: found \"b\", expected the end")),
            (
                "a\r\n",
                "a\n",
                Some("1: found other line ends, expected the program's"),
            ),
        ] {
            assert_eq!(difference(committed, current).as_deref(), expected);
        }
    }
}
