//! Flags from files: `--recipe NAME`, `--config FILE`, and the `run.json` of an earlier run.
//!
//! A file's entries become flags in front of the user's, so that each is checked as a flag is and the help text
//! documents both. An entry gives way to the same flag on the command line, and to one that excludes it.

mod downloads;
mod file;
mod recipes;
mod run_record;

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::builder::ArgAction;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

pub(crate) use downloads::check_downloaded;
pub(crate) use recipes::{Demo, demo, downloads_dir};

use crate::exit::bad_usage;

/// One setting of a file: a flag's name without dashes, and its value.
#[derive(Debug, Clone, PartialEq)]
struct Entry {
    /// As the file writes it.
    key: String,
    value: Setting,
}

/// The value of an [`Entry`].
#[derive(Debug, Clone, PartialEq)]
enum Setting {
    /// A flag without a value: given or not.
    Switch(bool),
    /// As it would be written on the command line.
    Text(String),
}

/// The entries of a file, and the verb that they are for.
#[derive(Debug, Clone, PartialEq)]
struct Config {
    /// What the file is called in errors.
    name: String,
    command: Option<String>,
    entries: Vec<Entry>,
}

impl Config {
    fn flag(entry: &Entry) -> String {
        entry.key.replace('_', "-")
    }
}

/// Puts the flags of `--recipe` and `--config` in front of those that the user gives.
///
/// # Errors
/// When a recipe or a file is not there, is for another command, or holds what no flag takes.
pub(crate) fn with_config(
    command: &Command,
    arguments: Vec<OsString>,
) -> anyhow::Result<Vec<OsString>> {
    // What is wrong with the user's flags is said when all of them are parsed.
    let lenient = command.clone().ignore_errors(true);
    let Ok(given) = lenient.try_get_matches_from(&arguments) else {
        return Ok(arguments);
    };
    let Some((verb, given)) = given.subcommand() else {
        return Ok(arguments);
    };
    let Some(subcommand) = command.find_subcommand(verb) else {
        return Ok(arguments);
    };
    let has = |id: &str| subcommand.get_arguments().any(|arg| arg.get_id() == id);
    if !has("config") || !has("recipe") {
        return Ok(arguments);
    }
    let mut configs = Vec::new();
    // A recipe is general, a file of the user's is particular: it comes later and wins.
    if let Some(name) = given.get_one::<String>("recipe") {
        configs.push(recipes::read(verb, name)?);
    }
    if let Some(path) = given.get_one::<std::path::PathBuf>("config") {
        configs.push(file::read(path)?);
    }
    let mut flags: Vec<(String, Vec<OsString>)> = Vec::new();
    for config in &configs {
        for (flag, words) in flags_of(config, verb, subcommand, given)? {
            flags.retain(|(other, _)| *other != flag && !excludes(subcommand, &flag, other));
            flags.push((flag, words));
        }
    }
    let at = arguments.iter().position(|word| word == verb);
    let Some(at) = at else {
        return Ok(arguments);
    };
    let mut merged = arguments;
    let rest = merged.split_off(at + 1);
    merged.extend(flags.into_iter().flat_map(|(_, words)| words));
    merged.extend(rest);
    let lenient = command.clone().ignore_errors(true);
    if let Ok(given) = lenient.try_get_matches_from(&merged)
        && let Some((verb, given)) = given.subcommand()
    {
        merged.splice(at + 1..at + 1, downloads::flags(verb, given));
    }
    Ok(merged)
}

/// A file's entries as flags, less those that the user's flags replace.
fn flags_of(
    config: &Config,
    verb: &str,
    command: &Command,
    given: &ArgMatches,
) -> anyhow::Result<Vec<(String, Vec<OsString>)>> {
    let name = &config.name;
    if let Some(own) = config.command.as_deref().filter(|own| *own != verb) {
        bad_usage!("{name}: found settings of {own}, expected those of {verb}");
    }
    let mut flags = Vec::new();
    for entry in &config.entries {
        let flag = Config::flag(entry);
        let Some(arg) = find(command, &flag) else {
            let known = known_flags(command);
            let near = nearest(&flag, &known).map_or_else(String::new, |near| {
                format!("; did you mean {}?", near.replace('-', "_"))
            });
            bad_usage!(
                "{name}: found the setting {}, expected a flag of {verb} without its dashes{near}",
                entry.key
            );
        };
        let words = words(name, entry, &flag, arg)?;
        let replaced = is_given(given, arg)
            || command
                .get_arguments()
                .any(|other| is_given(given, other) && conflict(command, arg, other));
        if !replaced && let Some(words) = words {
            flags.push((flag, words));
        }
    }
    Ok(flags)
}

/// The words of a flag on the command line; `None` where a switch is off.
fn words(
    name: &str,
    entry: &Entry,
    flag: &str,
    arg: &Arg,
) -> anyhow::Result<Option<Vec<OsString>>> {
    let key = &entry.key;
    let is_switch = matches!(arg.get_action(), ArgAction::SetTrue);
    match (&entry.value, is_switch) {
        (Setting::Switch(on), true) => Ok(on.then(|| vec![format!("--{flag}").into()])),
        (Setting::Switch(on), false) => bad_usage!("{name}: {key}: found {on}, expected a value"),
        (Setting::Text(text), true) => {
            bad_usage!("{name}: {key}: found {text:?}, expected true or false")
        }
        (Setting::Text(text), false) => {
            let word = OsString::from(format!("--{flag}={text}"));
            check_value(name, flag, arg, &word)?;
            Ok(Some(vec![word]))
        }
    }
}

/// Checks a value as the flag's own would be, to name the file where it is wrong.
fn check_value(name: &str, flag: &str, arg: &Arg, word: &OsStr) -> anyhow::Result<()> {
    // Alone: what must or must not be beside it is seen when all flags are parsed.
    let mut alone = Arg::new("value")
        .long(flag.to_owned())
        .action(arg.get_action().clone())
        .value_parser(arg.get_value_parser().clone())
        .allow_hyphen_values(true);
    if let Some(names) = arg.get_value_names() {
        alone = alone.value_names(names);
    }
    if let Some(delimiter) = arg.get_value_delimiter() {
        alone = alone.value_delimiter(delimiter);
    }
    let command = Command::new("config").no_binary_name(true).arg(alone);
    match command.try_get_matches_from([word]) {
        Ok(_) => Ok(()),
        Err(error) => bad_usage!("{name}: {}", crate::exit::one_line(&error)),
    }
}

fn find<'a>(command: &'a Command, flag: &str) -> Option<&'a Arg> {
    let is_it = |arg: &&Arg| {
        let own = arg.get_long() == Some(flag);
        own || arg.get_all_aliases().is_some_and(|all| all.contains(&flag))
    };
    command.get_arguments().find(is_it)
}

fn is_given(given: &ArgMatches, arg: &Arg) -> bool {
    let id = arg.get_id().as_str();
    given.try_contains_id(id).unwrap_or(false)
        && given.value_source(id) == Some(ValueSource::CommandLine)
}

fn excludes(command: &Command, flag: &str, other: &str) -> bool {
    let Some(arg) = find(command, flag) else {
        return false;
    };
    find(command, other).is_some_and(|other| conflict(command, arg, other))
}

/// Whether two flags exclude each other, whichever of them says so.
fn conflict(command: &Command, a: &Arg, b: &Arg) -> bool {
    let says = |one: &Arg, other: &Arg| {
        let conflicts = command.get_arg_conflicts_with(one);
        conflicts.iter().any(|arg| arg.get_id() == other.get_id())
    };
    a.get_id() != b.get_id() && (says(a, b) || says(b, a))
}

fn known_flags(command: &Command) -> Vec<&str> {
    let visible = command.get_arguments().filter(|arg| !arg.is_hide_set());
    visible.filter_map(Arg::get_long).collect()
}

/// The known name that is most like another, where one is alike.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let scored = known
        .iter()
        .map(|other| (strsim::jaro(name, other), *other));
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 > 0.8).then_some(best.1)
}

/// Reads a small text file.
fn read_text(path: &Path) -> anyhow::Result<String> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => bad_usage!("{}: cannot be read: {error}", path.display()),
    };
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) => bad_usage!(
            "{}: byte {}: found no UTF-8, expected TOML, or the run.json of a run",
            path.display(),
            error.utf8_error().valid_up_to()
        ),
    }
}
