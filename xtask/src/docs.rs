//! Pages written from the flags of the program: `docs/flags.md`, and the tables of `docs/coming-from-python.md`.

use std::fs;
use std::process::{ExitCode, Stdio};

use anyhow::{Context, bail};

use crate::cargo::{cargo, root};

/// A page, or a part of one, that the program prints.
struct Page {
    /// From the workspace's root.
    path: &'static str,
    /// The hidden verb of `bert` that prints it.
    verb: &'static str,
    /// The lines that the part stands between; `None`: it is the whole page.
    between: Option<(&'static str, &'static str)>,
}

const PAGES: [Page; 2] = [
    Page {
        path: "docs/flags.md",
        verb: "docs-flags",
        between: None,
    },
    Page {
        path: "docs/coming-from-python.md",
        verb: "docs-spellings",
        between: Some((
            "<!-- Tables by `cargo xtask docs`, from crates/bert-cli/src/spellings/table.rs. -->\n\n",
            "\n<!-- End of the tables. -->\n",
        )),
    },
];

/// Writes the pages, or with `--check` fails where a committed one differs.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let check = match arguments {
        [] => false,
        [flag] if flag == "--check" => true,
        [flag, ..] => bail!("docs: found {flag:?}, expected --check or nothing"),
    };
    for page in &PAGES {
        let path = root().join(page.path);
        let committed =
            fs::read_to_string(&path).with_context(|| format!("{}: cannot be read", page.path))?;
        let current = page.filled(&committed, &printed(page.verb)?)?;
        if !check {
            fs::write(&path, current)
                .with_context(|| format!("{}: cannot be written", page.path))?;
            println!("{}", page.path);
        } else if let Some(difference) = difference(&committed, &current) {
            bail!("{}:{difference}: write it with cargo xtask docs", page.path);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What a verb prints.
fn printed(verb: &str) -> anyhow::Result<String> {
    let output = cargo()
        .args(["run", "--quiet", "--package", "bert-cli", "--", verb])
        .stderr(Stdio::inherit())
        .output()
        .context("cargo could not be started")?;
    if !output.status.success() {
        bail!("bert {verb} failed");
    }
    String::from_utf8(output.stdout).context("bert did not print UTF-8")
}

impl Page {
    /// The page with what the program prints in its place.
    fn filled(&self, committed: &str, printed: &str) -> anyhow::Result<String> {
        let Some((begin, end)) = self.between else {
            return Ok(printed.to_owned());
        };
        let parts = committed.split_once(begin);
        let parts = parts.and_then(|(before, rest)| Some((before, rest.split_once(end)?.1)));
        let Some((before, after)) = parts else {
            bail!(
                "{}: found no lines {:?} and {:?}",
                self.path,
                begin.trim(),
                end.trim()
            );
        };
        Ok(format!("{before}{begin}{printed}{end}{after}"))
    }
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
    fn a_part_of_a_page_is_replaced_between_its_lines() {
        let page = Page {
            path: "x.md",
            verb: "x",
            between: Some(("<!-- a -->\n\n", "\n<!-- b -->\n")),
        };
        let filled = page.filled("before\n<!-- a -->\n\nold\n\n<!-- b -->\nafter\n", "new\n");
        assert_eq!(
            filled.unwrap(),
            "before\n<!-- a -->\n\nnew\n\n<!-- b -->\nafter\n"
        );
        assert!(page.filled("before\nafter\n", "new\n").is_err());
    }

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
