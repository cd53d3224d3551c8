//! The name of a model.

use std::fmt;
use std::str::FromStr;

use crate::HubError;

/// The longest part of a name that the hub allows.
const LONGEST_PART: usize = 96;
/// The longest revision taken: a folder name must hold it.
const LONGEST_REVISION: usize = 200;

/// A model's name on the hub and the revision that is meant: `name`, `owner/name` or either with `@revision`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ModelName {
    repository: String,
    revision: String,
}

impl ModelName {
    /// The name without the revision.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The branch, tag or commit; `main` where none was given.
    #[must_use]
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// The revision, where it is a commit's whole hash, which never means anything else.
    pub(crate) fn commit(&self) -> Option<&str> {
        is_commit(&self.revision).then_some(&*self.revision)
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.repository)?;
        if self.revision != "main" {
            write!(formatter, "@{}", self.revision)?;
        }
        Ok(())
    }
}

impl FromStr for ModelName {
    type Err = HubError;

    fn from_str(found: &str) -> Result<Self, HubError> {
        let bad = |why| HubError::Name {
            found: found.to_owned(),
            why,
        };
        let (repository, revision) = found.split_once('@').unwrap_or((found, "main"));
        let parts: Vec<&str> = repository.split('/').collect();
        if parts.len() > 2 {
            return Err(bad("more than one slash"));
        }
        for part in parts {
            check_part(part).map_err(bad)?;
        }
        if repository.ends_with(".git") {
            return Err(bad("\".git\" at its end"));
        }
        check_revision(revision).map_err(bad)?;
        Ok(Self {
            repository: repository.to_owned(),
            revision: revision.to_owned(),
        })
    }
}

/// Whether this is a commit's whole hash.
pub(crate) fn is_commit(text: &str) -> bool {
    text.len() == 40
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The rules of `huggingface_hub`, which leave no room for `..` or for a hidden folder.
fn check_part(part: &str) -> Result<(), &'static str> {
    if part.is_empty() {
        return Err("an empty part");
    }
    if part.len() > LONGEST_PART {
        return Err("a part of more than 96 characters");
    }
    if !part.bytes().all(is_plain) {
        return Err("a character other than letters, digits, '-', '_' and '.'");
    }
    if part.starts_with(['-', '.']) || part.ends_with(['-', '.']) {
        return Err("'-' or '.' at the start or end of a part");
    }
    if part.contains("--") || part.contains("..") {
        return Err("\"--\" or \"..\"");
    }
    Ok(())
}

/// A branch may have slashes, as `refs/pr/1`; it becomes a path below `refs`.
fn check_revision(revision: &str) -> Result<(), &'static str> {
    if revision.is_empty() {
        return Err("no revision after '@'");
    }
    if revision.len() > LONGEST_REVISION {
        return Err("a revision of more than 200 characters");
    }
    if !revision.bytes().all(|byte| is_plain(byte) || byte == b'/') {
        return Err(
            "a revision with a character other than letters, digits, '-', '_', '.' and '/'",
        );
    }
    if revision
        .split('/')
        .any(|part| part.is_empty() || part.starts_with('.') || part.contains(".."))
    {
        return Err("a revision with an empty or a dotted part");
    }
    Ok(())
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_with_and_without_owner_and_revision() {
        for (text, repository, revision) in [
            ("bert-base-uncased", "bert-base-uncased", "main"),
            (
                "google-bert/bert_base.v1",
                "google-bert/bert_base.v1",
                "main",
            ),
            ("owner/name@v1.0", "owner/name", "v1.0"),
            ("owner/name@refs/pr/1", "owner/name", "refs/pr/1"),
            ("name@main", "name", "main"),
        ] {
            let name: ModelName = text.parse().expect("it is a name");
            assert_eq!((name.repository(), name.revision()), (repository, revision));
            assert_eq!(
                name.to_string().parse::<ModelName>().expect("it is a name"),
                name
            );
        }
    }

    #[test]
    fn what_could_leave_the_cache_is_no_name() {
        for text in [
            "",
            "/",
            "a/",
            "/a",
            "a/b/c",
            "..",
            "../a",
            "a/..",
            ".hidden",
            "a/.b",
            "a--b",
            "a..b",
            "a b",
            "a\\b",
            "a\u{e9}",
            "a\0b",
            "a.git",
            "-a",
            "a@",
            "a@..",
            "a@../b",
            "a@b//c",
            "a@/b",
            "a@.b",
            "a@b c",
            "a@b\\c",
            "a@b@c",
            "https://huggingface.co/a",
            "a?b",
            "a#b",
            "a%2Fb",
        ] {
            let error = text.parse::<ModelName>().expect_err(text);
            assert!(error.is_bad_input(), "{text}");
            assert!(error.to_string().contains("expected"), "{error}");
        }
        assert!("a".repeat(97).parse::<ModelName>().is_err());
        assert!(
            format!("a@{}", "b".repeat(201))
                .parse::<ModelName>()
                .is_err()
        );
    }

    #[test]
    fn only_forty_small_hexadecimal_digits_are_a_commit() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        let name: ModelName = format!("a@{commit}").parse().expect("it is a name");
        assert_eq!(name.commit(), Some(commit));
        for revision in ["main", &commit[1..], &commit.to_uppercase()] {
            let name: ModelName = format!("a@{revision}").parse().expect("it is a name");
            assert_eq!(name.commit(), None);
        }
    }
}
