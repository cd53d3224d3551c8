//! Flags from files: `--recipe NAME`, `--config FILE`, and the `run.json` of an earlier run.
//!
//! A file's entries become flags in front of the user's, so that each is checked as a flag is and the help text
//! documents both. The same flag on the command line, or one that excludes it, replaces an entry. A training that names
//! neither a model nor data gets the flags of the recipe `demo`.

mod demo;
mod downloads;
mod file;
pub(crate) mod recipes;
mod run_record;

use std::ffi::OsString;
use std::path::Path;

use clap::builder::ArgAction;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

pub(crate) use downloads::check_downloaded;
pub(crate) use recipes::downloads_dir;

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
    /// Several values of one flag.
    List(Vec<String>),
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

/// Puts the flags of `--recipe` and `--config` in front of those that the user gives, and in front of all of them the
/// `defaults` that none replaces.
///
/// # Errors
/// When a recipe or a file is not there, is for another command, or holds what no flag takes.
pub(crate) fn with_config(
    command: &Command,
    arguments: Vec<OsString>,
    defaults: Vec<(&'static str, String)>,
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
    // A recipe is general and the user's file is particular: the file comes later and overrides it.
    if let Some(name) = given.get_one::<String>("recipe") {
        configs.push(recipes::read(verb, name)?);
    }
    if let Some(path) = given.get_one::<std::path::PathBuf>("config") {
        configs.push(file::read(path)?);
    }
    let mut merged = Merged {
        command,
        subcommand,
        verb,
        arguments,
    };
    for config in configs.iter().rev() {
        merged.put_in_front(config)?;
    }
    let given = merged.given();
    let downloads = downloads::config(verb, &given);
    if let Some(config) = downloads.or(demo::config(verb, &given)?) {
        merged.put_in_front(&config)?;
    }
    let entries = defaults.into_iter().map(|(key, value)| Entry {
        key: key.to_owned(),
        value: Setting::Text(value),
    });
    merged.put_in_front(&Config {
        name: "the defaults of transformers".to_owned(),
        command: None,
        entries: entries.collect(),
    })?;
    Ok(merged.arguments)
}

/// A command line that grows at its front.
struct Merged<'a> {
    command: &'a Command,
    subcommand: &'a Command,
    verb: &'a str,
    arguments: Vec<OsString>,
}

impl Merged<'_> {
    /// Puts a file's flags behind the verb, less those that later flags replace.
    fn put_in_front(&mut self, config: &Config) -> anyhow::Result<()> {
        let flags = flags_of(config, self.verb, self.subcommand, &self.given())?;
        let at = self.arguments.iter().position(|word| word == self.verb);
        let at = at.map_or(self.arguments.len(), |at| at + 1);
        self.arguments.splice(at..at, flags);
        Ok(())
    }

    /// The flags so far. What is wrong with them is reported when all of them are parsed.
    fn given(&self) -> ArgMatches {
        let lenient = self.command.clone().ignore_errors(true);
        let given = lenient.try_get_matches_from(&self.arguments).ok();
        let given = given.and_then(|mut given| given.remove_subcommand());
        given.map_or_else(ArgMatches::default, |(_, given)| given)
    }
}

/// Flags that name data.
const DATA: [&str; 5] = [
    "train_file",
    "predict_file",
    "data_dir",
    "eval_file",
    "test_file",
];

/// Whether the command line names data.
fn names_data(given: &ArgMatches) -> bool {
    DATA.iter().any(|id| names(given, id))
}

/// Whether the command line has the flag of an id.
fn names(given: &ArgMatches, id: &str) -> bool {
    given.try_contains_id(id).unwrap_or(false)
        && given.value_source(id) == Some(ValueSource::CommandLine)
}

/// A file's entries as flags, less those that the given flags replace.
fn flags_of(
    config: &Config,
    verb: &str,
    command: &Command,
    given: &ArgMatches,
) -> anyhow::Result<Vec<OsString>> {
    let name = &config.name;
    if let Some(own) = config.command.as_deref().filter(|own| *own != verb) {
        bad_usage!("{name}: found settings of {own}, expected those of {verb}");
    }
    let mut flags = Vec::new();
    let mut seen: Vec<String> = Vec::new();
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
        let id = arg.get_id().as_str();
        if seen.iter().any(|other| other == id) {
            bad_usage!(
                "{name}: found the setting {} twice, expected it once",
                entry.key
            );
        }
        seen.push(id.to_owned());
        let words = words(name, entry, &flag, arg)?;
        let mut others = command.get_arguments();
        let is_replaced = names(given, id)
            || gives_way(config, entry, arg, command)
            // Data of a file and of the command line are not mixed.
            || (DATA.contains(&id) && names_data(given))
            || others.any(|other| names(given, other.get_id().as_str()) && conflict(command, arg, other));
        if !is_replaced {
            flags.extend(words);
        }
    }
    Ok(flags)
}

/// Whether an entry only repeats its flag's default, beside one that excludes it: the record of a run has every setting.
fn gives_way(config: &Config, entry: &Entry, arg: &Arg, command: &Command) -> bool {
    let Setting::Text(text) = &entry.value else {
        return false;
    };
    let same = |own: &str| match (own.parse::<f64>(), text.parse::<f64>()) {
        (Ok(own), Ok(found)) => own == found,
        _ => own == text,
    };
    let mut defaults = arg.get_default_values().iter();
    let is_default = defaults.any(|own| own.to_str().is_some_and(same));
    is_default
        && config.entries.iter().any(|other| {
            find(command, &Config::flag(other)).is_some_and(|other| conflict(command, arg, other))
        })
}

/// The words of a flag on the command line; none where a switch is off.
fn words(name: &str, entry: &Entry, flag: &str, arg: &Arg) -> anyhow::Result<Vec<OsString>> {
    let key = &entry.key;
    let is_switch = matches!(arg.get_action(), ArgAction::SetTrue);
    let texts: &[String] = match &entry.value {
        Setting::Switch(true) if is_switch => return Ok(vec![format!("--{flag}").into()]),
        Setting::Switch(false) if is_switch => return Ok(Vec::new()),
        Setting::Switch(on) => bad_usage!("{name}: {key}: found {on}, expected a value"),
        Setting::Text(text) if is_switch => {
            bad_usage!("{name}: {key}: found {text:?}, expected true or false")
        }
        Setting::Text(text) => std::slice::from_ref(text),
        Setting::List(_) if !matches!(arg.get_action(), ArgAction::Append) => {
            bad_usage!("{name}: {key}: found a list, expected one value")
        }
        Setting::List(texts) => texts,
    };
    let words = texts.iter().map(|text| {
        // To name the file where it is wrong.
        if let Some(error) = refusal(flag, arg, text) {
            bad_usage!("{name}: {}", crate::exit::one_line(&error));
        }
        Ok(OsString::from(format!("--{flag}={text}")))
    });
    words.collect()
}

/// Why a flag does not take a value, where it does not.
pub(crate) fn refusal(flag: &str, arg: &Arg, value: &str) -> Option<clap::Error> {
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
    let word = OsString::from(format!("--{flag}={value}"));
    command.try_get_matches_from([word]).err()
}

/// The flag of a command, by its name or an alias.
pub(crate) fn find<'a>(command: &'a Command, flag: &str) -> Option<&'a Arg> {
    let is_it = |arg: &&Arg| {
        let own = arg.get_long() == Some(flag);
        own || arg.get_all_aliases().is_some_and(|all| all.contains(&flag))
    };
    command.get_arguments().find(is_it)
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

/// The most bytes of a file of settings that are read.
const LIMIT: u64 = 16 << 20;

/// Reads a small text file.
fn read_text(path: &Path) -> anyhow::Result<String> {
    let bytes = bert_files::read_once(path, LIMIT)?;
    Ok(bert_files::decode(path, &bytes)?.to_owned())
}
