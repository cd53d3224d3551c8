//! The spellings of the Python scripts: a command line of `run_qa.py`, `run_swag.py`, `run_glue.py`, `run_classification.py` and
//! of the scripts before them, behind `bert train-*`, becomes one of ours before clap reads it.
//!
//! One [table] says what becomes of each flag. What depends on several is [decided](decide) together.

mod decide;
mod metrics;
mod page;
mod spelling;
mod table;
mod words;

use std::ffi::OsString;
use std::path::Path;
use std::sync::OnceLock;

use clap::Command;

pub(crate) use page::table as documentation;
pub(crate) use words::flag_of;

use self::decide::Deciding;
use self::spelling::{Becomes, Verb};
use self::words::{Known, names, take_apart};
use crate::exit::bad_usage;

/// What a command line means here.
#[derive(Debug, Default)]
pub(crate) struct Translated {
    /// The command line with our flags.
    pub(crate) arguments: Vec<OsString>,
    /// What is not done as it is written, a line each.
    pub(crate) notes: Vec<String>,
    /// What is done as `transformers` does, or differently, a line each; none where the command line is not its.
    pub(crate) decisions: Vec<String>,
    /// Flags that have these values where nothing else gives them one.
    pub(crate) defaults: Vec<(&'static str, String)>,
}

/// The scripts that are taken for a command, by their names.
const SCRIPTS: [(&str, &str); 7] = [
    ("run_squad.py", "train-squad"),
    ("run_qa.py", "train-squad"),
    ("run_swag.py", "train-swag"),
    ("run_multiple_choice.py", "train-swag"),
    ("run_classifier.py", "train-glue"),
    ("run_glue.py", "train-glue"),
    ("run_classification.py", "train-glue"),
];

/// Turns a command line of the Python scripts, whose flags have hyphens, into ours; another one stays as it is.
///
/// # Errors
/// When it asks for what is not here.
pub(crate) fn translate(
    command: &Command,
    mut arguments: Vec<OsString>,
) -> anyhow::Result<Translated> {
    let place = (1..arguments.len()).find(|at| !arguments[*at].to_string_lossy().starts_with('-'));
    let untouched = |arguments| {
        Ok(Translated {
            arguments,
            ..Translated::default()
        })
    };
    let Some(place) = place else {
        return untouched(arguments);
    };
    let mut script = None;
    let name = Path::new(&arguments[place]).file_name();
    let name = name.unwrap_or_default().to_string_lossy().into_owned();
    if let Some((own, verb)) = SCRIPTS.iter().find(|(own, _)| *own == name) {
        script = Some(*own);
        arguments[place] = verb.into();
    }
    let verb = arguments[place].to_string_lossy().into_owned();
    let (Some(verb), Some(subcommand)) = (Verb::of(&verb), command.find_subcommand(&verb)) else {
        return untouched(arguments);
    };
    let mut subcommand = subcommand.clone();
    // Flags for every verb are the verb's too.
    subcommand = subcommand.args(command.get_arguments().filter(|arg| arg.is_global_set()));
    let behind = arguments.split_off(place + 1);
    let is_transformers = names(&behind, "model-name-or-path");
    let words = take_apart(behind, verb, &subcommand, is_transformers)?;
    let mut deciding = Deciding::new(verb, script, is_transformers, words);
    for known in deciding.words.known.clone() {
        apply(&known, &mut deciding)?;
    }
    deciding.decide()?;
    arguments.extend(deciding.words.kept);
    arguments.extend(deciding.flags);
    arguments.extend(deciding.words.rest);
    Ok(Translated {
        arguments,
        notes: deciding.notes,
        decisions: deciding.decisions,
        defaults: deciding.defaults,
    })
}

/// Does with a flag what its row says, where that depends on no other.
fn apply(known: &Known, deciding: &mut Deciding) -> anyhow::Result<()> {
    let Known {
        spelling,
        name: flag,
        value,
    } = known;
    let note = spelling.note;
    let is_off = spelling.value == spelling::Value::Switch && value == "false";
    match spelling.becomes {
        Becomes::Flag(ours) => match spelling.value {
            spelling::Value::Switch if is_off => {}
            spelling::Value::Switch => deciding.push_switch(ours),
            _ => deciding.push(ours, value),
        },
        Becomes::Computed(_) => {}
        Becomes::Nothing if is_off => {}
        Becomes::Nothing => deciding
            .notes
            .push(format!("--{flag} does nothing here: {note}")),
        Becomes::Only(values) => {
            if !values.iter().any(|own| own.eq_ignore_ascii_case(value)) {
                bad_usage!(
                    "--{flag}: found {value}, expected {}: {note}",
                    values.join(" or ")
                );
            }
        }
        Becomes::Refused => bad_usage!("--{flag} is not supported: {note}"),
    }
    Ok(())
}

/// The command that a script's name is taken for; any other word as it is.
pub(crate) fn verb(word: &str) -> &str {
    let name = Path::new(word).file_name().unwrap_or_default();
    let script = SCRIPTS.iter().find(|(own, _)| name == *own);
    script.map_or(word, |(_, verb)| verb)
}

/// The flag of ours that takes such values as a flag of the table with one value does; `None` for other flags.
pub(crate) fn counterpart(verb: &str, flag: &str) -> Option<&'static str> {
    let spelling = words::spelling(flag, Verb::of(verb)?, false)?;
    match spelling.becomes {
        Becomes::Flag(ours) if spelling.value == spelling::Value::One => Some(ours),
        Becomes::Computed(ours) if spelling.value == spelling::Value::One => {
            let is_of_name = |character: char| character.is_ascii_lowercase() || character == '-';
            let ours = ours.trim_start_matches('-');
            ours.split(|character| !is_of_name(character)).next()
        }
        _ => None,
    }
}

static DECISIONS: OnceLock<Vec<String>> = OnceLock::new();

/// Keeps what was decided for the plan, once.
pub(crate) fn keep(decisions: Vec<String>) {
    if !decisions.is_empty() {
        // A second call would be the same program's.
        let _ = DECISIONS.set(decisions);
    }
}

/// What was decided.
pub(crate) fn decisions() -> &'static [String] {
    DECISIONS.get().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests;
