//! A command line taken apart: the flags of the table with their values, and all other words as they are.

use std::collections::VecDeque;
use std::ffi::OsString;

use clap::builder::ArgAction;
use clap::{Arg, Command};

use super::spelling::{Becomes, Spelling, Value, Verb};
use super::table::TABLE;
use crate::exit::bad_usage;

/// The words behind a verb.
pub(super) struct Words {
    /// The flags of the table, with their values; a switch has `true` or `false`.
    pub(super) known: Vec<Known>,
    /// All others.
    pub(super) kept: Vec<OsString>,
    /// From `--` on.
    pub(super) rest: Vec<OsString>,
}

/// Takes the words behind a verb apart. A flag that is ours too is taken for one of the table only where the command line
/// is `transformers`'.
///
/// # Errors
/// When a flag of the table lacks its value.
pub(super) fn take_apart(
    words: impl IntoIterator<Item = OsString>,
    verb: Verb,
    command: &Command,
    is_transformers: bool,
) -> anyhow::Result<Words> {
    let mut words: VecDeque<OsString> = words.into_iter().collect();
    let mut apart = Words {
        known: Vec::new(),
        kept: Vec::new(),
        rest: Vec::new(),
    };
    while let Some(word) = words.pop_front() {
        if word == "--" {
            apart.rest.push(word);
            apart.rest.extend(words);
            break;
        }
        let Some((flag, inline)) = flag_of(&word) else {
            apart.kept.push(word);
            continue;
        };
        let own = argument(command, &flag);
        if let Some(spelling) = spelling(&flag, verb, own.is_some() && !is_transformers) {
            let value = value(spelling, &flag, inline, &mut words)?;
            apart.known.push(Known {
                spelling,
                name: flag.clone(),
                value,
            });
        } else if own.is_some_and(|own| matches!(own.get_action(), ArgAction::SetTrue)) {
            let truth = match inline {
                Some(text) => truth(&text),
                None => next_truth(&mut words),
            };
            match truth {
                Some(true) => apart.kept.push(format!("--{flag}").into()),
                Some(false) => {}
                None => apart.kept.push(word),
            }
        } else {
            apart.kept.push(word);
        }
    }
    Ok(apart)
}

/// A flag of the table as it is given.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) spelling: &'static Spelling,
    /// The one of its names that is used.
    pub(super) name: String,
    pub(super) value: String,
}

/// Whether a flag is among some words.
pub(super) fn names(words: &[OsString], flag: &str) -> bool {
    let before_end = words.iter().take_while(|word| *word != "--");
    let mut flags = before_end.filter_map(flag_of);
    flags.any(|(own, _)| own == flag)
}

impl Words {
    /// The last value of a flag of the table.
    pub(super) fn get(&self, flag: &str) -> Option<&str> {
        let mut found = self
            .known
            .iter()
            .rev()
            .filter(|known| known.spelling.flag == flag);
        found.next().map(|known| known.value.as_str())
    }

    /// Whether a switch of the table is on.
    pub(super) fn is_on(&self, flag: &str) -> bool {
        self.get(flag) == Some("true")
    }

    /// Whether one of our own flags is there.
    pub(super) fn has_own(&self, flag: &str) -> bool {
        names(&self.kept, flag)
    }

    /// The value of one of our own flags.
    pub(super) fn own(&self, flag: &str) -> Option<String> {
        let mut words = self.kept.iter();
        while let Some(word) = words.next() {
            match flag_of(word) {
                Some((own, inline)) if own == flag => {
                    let next = || Some(words.next()?.to_string_lossy().into_owned());
                    return inline.or_else(next);
                }
                _ => {}
            }
        }
        None
    }

    /// Takes one of our own flags with its value away.
    pub(super) fn remove_own(&mut self, flag: &str) {
        let at = |word: &OsString| flag_of(word).is_some_and(|(own, _)| own == flag);
        while let Some(place) = self.kept.iter().position(at) {
            let inline = flag_of(&self.kept[place]).is_some_and(|(_, inline)| inline.is_some());
            let end = (place + if inline { 1 } else { 2 }).min(self.kept.len());
            self.kept.drain(place..end);
        }
    }
}

/// A word's flag without dashes, and the value that stands in the same word.
pub(crate) fn flag_of(word: &OsString) -> Option<(String, Option<String>)> {
    let text = word.to_str()?.strip_prefix("--")?;
    Some(match text.split_once('=') {
        Some((flag, value)) => (flag.to_owned(), Some(value.to_owned())),
        None => (text.to_owned(), None),
    })
}

/// The row of the table that a flag of a command means.
pub(super) fn spelling(flag: &str, verb: Verb, is_ours: bool) -> Option<&'static Spelling> {
    let mut named = TABLE.iter().filter(|row| row.is_named(flag));
    let row = named.find(|row| row.verbs.contains(&verb))?;
    let is_computed = matches!(row.becomes, Becomes::Computed(_));
    (!(is_ours && is_computed)).then_some(row)
}

/// The flag of a command.
fn argument<'a>(command: &'a Command, flag: &str) -> Option<&'a Arg> {
    command.get_arguments().find(|arg| {
        let aliases = arg.get_all_aliases();
        arg.get_long() == Some(flag) || aliases.is_some_and(|all| all.contains(&flag))
    })
}

fn value(
    spelling: &Spelling,
    flag: &str,
    inline: Option<String>,
    words: &mut VecDeque<OsString>,
) -> anyhow::Result<String> {
    let is_flag = |word: &OsString| word.to_string_lossy().starts_with("--");
    match spelling.value {
        Value::Switch => {
            let on = match &inline {
                Some(text) => truth(text),
                None => Some(next_truth(words).unwrap_or(true)),
            };
            let Some(on) = on else {
                bad_usage!(
                    "--{flag}: found {}, expected true or false",
                    inline.unwrap_or_default()
                );
            };
            // Such as `--no_use_fast_tokenizer`.
            Ok((on != (flag.starts_with("no-") && !spelling.flag.starts_with("no-"))).to_string())
        }
        Value::One => match inline {
            Some(text) => Ok(text),
            None => match words.pop_front() {
                Some(word) if !is_flag(&word) => Ok(word.to_string_lossy().into_owned()),
                _ => bad_usage!("--{flag}: found no value, expected one"),
            },
        },
        Value::Many => {
            let mut values: Vec<String> = inline.into_iter().collect();
            while words.front().is_some_and(|word| !is_flag(word)) {
                let word = words.pop_front().unwrap_or_default();
                values.push(word.to_string_lossy().into_owned());
            }
            Ok(values.join(" "))
        }
    }
}

/// What `HfArgumentParser` takes for true and false.
fn truth(word: &str) -> Option<bool> {
    match word.to_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "1" => Some(true),
        "false" | "f" | "no" | "n" | "0" => Some(false),
        _ => None,
    }
}

/// What the next word says of a switch; `None` where it says nothing, and is left.
fn next_truth(words: &mut VecDeque<OsString>) -> Option<bool> {
    let said = truth(words.front()?.to_str()?)?;
    words.pop_front();
    Some(said)
}
