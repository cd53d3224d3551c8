//! The word lists and templates of one task, from `content/glue/<task>.toml`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use bert_datasets::glue::GlueTask;

use crate::people::People;
use crate::template::{Piece, pieces, variants};
use crate::{DemoDataError, nothing_to_choose, parse};

macro_rules! content {
    ($name:literal) => {
        (
            $name,
            concat!("glue/", $name, ".toml"),
            include_str!(concat!("../../content/glue/", $name, ".toml")),
        )
    };
}

/// The tasks that the demo has: the name of each, its content file and that file's text. The order is that of their
/// random streams, so that a new task comes last.
pub(super) static TASKS: [(&str, &str, &str); 9] = [
    content!("cola"),
    content!("sst2"),
    content!("mrpc"),
    content!("stsb"),
    content!("qqp"),
    content!("mnli"),
    content!("qnli"),
    content!("rte"),
    content!("wnli"),
];

/// A task of the table by its name in [`TASKS`].
///
/// # Errors
///
/// If the table has no such task.
pub(super) fn task(name: &str) -> Result<&'static GlueTask, DemoDataError> {
    name.parse().map_err(DemoDataError::Task)
}

/// A content file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Content {
    pub(super) rows: Rows,
    pub(super) layout: Layout,
    /// Whether texts begin with an upper-case letter.
    #[serde(default = "yes")]
    pub(super) capitalise: bool,
    pub(super) relation: Vec<Relation>,
    /// Words for the slots. `{adjective2}` draws from `adjective` too, but another word than `{adjective}`.
    #[serde(default)]
    pub(super) lists: BTreeMap<String, Vec<String>>,
    /// What texts are about: for each kind its parts, for each part its templates.
    pub(super) kind: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

/// The columns of the official files.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Layout {
    /// Whether files begin with a byte order mark.
    #[serde(default)]
    pub(super) byte_order_mark: bool,
    /// Columns of the training file.
    pub(super) train: Vec<String>,
    /// Columns of the development files; none where they are those of the training file.
    #[serde(default)]
    pub(super) dev: Vec<String>,
    /// Columns of the test files.
    pub(super) test: Vec<String>,
    /// What stands in every row of a column.
    #[serde(default)]
    pub(super) cells: BTreeMap<String, String>,
}

/// Rows a file.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rows {
    pub(super) train: usize,
    pub(super) dev: usize,
    pub(super) test: usize,
}

/// How examples of a label are made.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Relation {
    pub(super) label: String,
    /// Share of the examples, in relation to the other shares.
    pub(super) share: usize,
    /// The part that sentence 1 is drawn from.
    pub(super) first: String,
    /// The part that sentence 2 is drawn from; none in tasks of one sentence.
    pub(super) second: Option<String>,
    /// The kind of sentence 2.
    #[serde(default)]
    pub(super) kind: SecondKind,
    /// Slots whose word is another in sentence 2. All others are shared.
    #[serde(default)]
    pub(super) change: Vec<String>,
    /// Whether sentence 2 repeats sentence 1.
    #[serde(default)]
    pub(super) verbatim: bool,
}

/// The kind of sentence 2, compared with that of sentence 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum SecondKind {
    #[default]
    Same,
    Other,
}

fn yes() -> bool {
    true
}

impl Content {
    /// # Errors
    ///
    /// If the file is not what we expect: a slot without words, a part that no kind has, an empty list.
    pub(super) fn load(file: &str, text: &str) -> Result<Self, DemoDataError> {
        let mut content: Self = parse(file, text)?;
        let people = People::load()?;
        content.lists.insert("woman".to_owned(), people.women);
        content.lists.insert("man".to_owned(), people.men);
        content.check(file)?;
        Ok(content)
    }

    /// The kinds that have templates for `part`.
    pub(super) fn kinds_with(&self, part: &str) -> Vec<&str> {
        self.kind
            .iter()
            .filter(|(_, parts)| parts.contains_key(part))
            .map(|(name, _)| name.as_str())
            .collect()
    }

    fn check(&self, file: &str) -> Result<(), DemoDataError> {
        for (name, words) in &self.lists {
            if words.is_empty() {
                return Err(nothing_to_choose(&format!("{file}, {name}")));
            }
        }
        let known: BTreeSet<&str> = self
            .kind
            .values()
            .flat_map(|parts| parts.keys())
            .map(String::as_str)
            .collect();
        for relation in &self.relation {
            for part in std::iter::once(&relation.first).chain(&relation.second) {
                if !known.contains(part.as_str()) {
                    return Err(DemoDataError::UnknownName {
                        file: file.to_owned(),
                        found: part.clone(),
                    });
                }
            }
        }
        for parts in self.kind.values() {
            for template in parts.values().flatten() {
                for variant in variants(template)? {
                    for piece in pieces(&variant)? {
                        let Piece::Slot(slot) = piece else { continue };
                        if !self.lists.contains_key(list_of(slot)) {
                            return Err(DemoDataError::Slot {
                                file: file.to_owned(),
                                slot: slot.to_owned(),
                                place: template.clone(),
                            });
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

/// The list that a slot draws from: its name without the number.
pub(super) fn list_of(slot: &str) -> &str {
    slot.trim_end_matches(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_sound() {
        for (name, file, text) in TASKS {
            task(name).unwrap();
            Content::load(file, text).unwrap();
        }
    }

    #[test]
    fn a_slot_without_words_is_refused() {
        let text = r#"
            rows = { train = 1, dev = 1, test = 1 }
            layout = { train = ["sentence", "label"], test = ["index", "sentence"] }
            relation = [{ label = "1", share = 1, first = "good" }]
            kind.any.good = ["A {colour} door."]
        "#;
        let content: Content = toml::from_str(text).unwrap();
        let error = content.check("any.toml").unwrap_err();
        assert!(error.to_string().contains("colour"), "{error}");
    }
}
