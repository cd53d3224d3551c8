//! The templates of `content/squad.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::template::{Piece, pieces, variants};
use crate::{DemoDataError, parse};

/// The values of an event that a sentence may tell and a question may ask for.
pub(crate) const SLOTS: [&str; 5] = ["who", "where", "what", "when", "sum"];
/// The forms of an event's verb.
const FORMS: [&str; 4] = ["past", "base", "done", "doer"];

/// What stands for the value that a statement leaves blank.
const BLANK: &str = "_";

/// `content/squad.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Content {
    /// The forms of each verb, by the names in [`FORMS`].
    pub(crate) verbs: Vec<BTreeMap<String, String>>,
    pub(crate) things: Vec<String>,
    /// By the value that all sentences of a passage tell beside who did what.
    pub(crate) sentences: BTreeMap<String, Vec<String>>,
    pub(crate) asides: Vec<String>,
    pub(crate) statements: Vec<String>,
    /// Questions by the slot that answers them.
    pub(crate) questions: BTreeMap<String, Vec<String>>,
}

impl Content {
    /// # Errors
    ///
    /// If the file is not what we expect: a slot or form that does not exist, a question that tells its answer.
    pub(crate) fn load() -> Result<Self, DemoDataError> {
        let content: Self = parse("squad.toml", include_str!("../../content/squad.toml"))?;
        content.check()?;
        Ok(content)
    }

    /// Statements and sentences with a blank for a slot, by that slot.
    pub(crate) fn blanks(&self) -> BTreeMap<String, Vec<String>> {
        let sentences = self.sentences.values().flatten();
        let templates = self
            .statements
            .iter()
            .chain(&self.statements)
            .chain(sentences);
        let mut blanks: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for template in templates {
            for slot in SLOTS {
                let blank = template.replace(&format!("{{{slot}}}"), BLANK);
                if blank != *template {
                    blanks.entry(slot.to_owned()).or_default().push(blank + ".");
                }
            }
        }
        blanks
    }

    /// Every template, for its words.
    pub(crate) fn templates(&self) -> impl Iterator<Item = &String> {
        let tables = [&self.sentences, &self.questions].into_iter();
        tables
            .flat_map(BTreeMap::values)
            .flatten()
            .chain(&self.asides)
    }

    fn check(&self) -> Result<(), DemoDataError> {
        let wrong = |place: &str, slot: &str| DemoDataError::Slot {
            file: "squad.toml".to_owned(),
            slot: slot.to_owned(),
            place: place.to_owned(),
        };
        for template in self.templates() {
            for variant in variants(template)? {
                let known = |slot: &&str| SLOTS.contains(slot) || FORMS.contains(slot);
                if let Some(slot) = names(&variant)?.into_iter().find(|slot| !known(slot)) {
                    return Err(wrong(template, slot));
                }
            }
        }
        for verb in &self.verbs {
            if let Some(form) = FORMS.iter().find(|form| !verb.contains_key(**form)) {
                return Err(wrong("verbs", form));
            }
        }
        for (slot, sentences) in &self.sentences {
            for sentence in sentences {
                let told = names(sentence)?;
                let needed = ["who", "what", slot];
                if let Some(slot) = needed.iter().find(|slot| !told.contains(slot)) {
                    return Err(wrong(sentence, slot));
                }
            }
        }
        for slot in SLOTS {
            let questions = self
                .questions
                .get(slot)
                .ok_or_else(|| wrong("questions", slot))?;
            for question in questions {
                if names(question)?.contains(&slot) {
                    return Err(wrong(question, slot));
                }
            }
        }
        Ok(())
    }
}

/// The slots and forms that `template` names.
///
/// # Errors
///
/// If a brace is not closed.
pub(crate) fn names(template: &str) -> Result<Vec<&str>, DemoDataError> {
    let named = pieces(template)?
        .into_iter()
        .filter_map(|piece| match piece {
            Piece::Slot(name) => Some(name),
            Piece::Text(_) => None,
        });
    Ok(named.collect())
}
