//! Which flags of a training's command line have several values.

use std::ffi::OsString;

use clap::builder::ArgAction;
use clap::{Arg, Command};

use super::range::Range;
use crate::config;
use crate::exit::bad_usage;
use crate::spellings::{counterpart, flag_of};

/// A command line with flags that have several values.
#[derive(Debug)]
pub(super) struct CommandLine {
    /// The words that every configuration has, the verb first.
    pub(super) fixed: Vec<OsString>,
    pub(super) axes: Vec<Axis>,
}

/// A flag that is varied.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    /// Without dashes.
    pub(super) flag: String,
    pub(super) values: Values,
}

/// What a flag is given.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Values {
    List(Vec<String>),
    Range(Range),
}

/// A flag with every value that the command line gives it.
struct Given<'a> {
    flag: String,
    /// The flag of ours that takes such values.
    arg: Option<&'a Arg>,
    values: Vec<String>,
}

/// Takes the command line of a training apart.
///
/// # Errors
/// When a flag is varied that must be the same, or has a value twice.
pub(super) fn read(
    verb: &str,
    command: &Command,
    words: &[OsString],
) -> anyhow::Result<CommandLine> {
    let mut fixed = vec![verb.into()];
    let mut all: Vec<Given<'_>> = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let taken = flag_of(word).and_then(|(flag, inline)| {
            let (flag, arg) = single_value(verb, command, &flag)?;
            let next = || Some(words.next()?.to_str()?.to_owned());
            Some((flag, arg, inline.or_else(next)?))
        });
        let Some((flag, arg, value)) = taken else {
            fixed.push(word.clone());
            continue;
        };
        match all.iter_mut().find(|given| given.flag == flag) {
            Some(given) => given.values.push(value),
            None => all.push(Given {
                flag,
                arg,
                values: vec![value],
            }),
        }
    }
    let mut axes = Vec::new();
    for given in all {
        match values(&given)? {
            Some(values) => axes.push(Axis {
                flag: given.flag,
                values,
            }),
            None => {
                let text = |value| OsString::from(format!("--{}={value}", given.flag));
                fixed.extend(given.values.iter().map(text));
            }
        }
    }
    Ok(CommandLine { fixed, axes })
}

/// The name of a flag that takes one value, and the flag of ours that takes such values. What takes several, as `--seeds`
/// does, is every configuration's.
fn single_value<'a>(
    verb: &str,
    command: &'a Command,
    flag: &str,
) -> Option<(String, Option<&'a Arg>)> {
    if let Some(arg) = config::find(command, flag) {
        let is_single = matches!(arg.get_action(), ArgAction::Set);
        return is_single.then(|| (arg.get_long().unwrap_or(flag).to_owned(), Some(arg)));
    }
    let ours = counterpart(verb, flag)?;
    Some((flag.to_owned(), config::find(command, ours)))
}

/// What a flag is varied over; `None` where it has one value.
fn values(given: &Given<'_>) -> anyhow::Result<Option<Values>> {
    let flag = &given.flag;
    let is_whole = |value: &str| {
        let arg = given.arg;
        arg.is_some_and(|arg| config::refusal(flag, arg, value).is_none())
    };
    let split = |value: &String| match is_whole(value) {
        true => vec![value.clone()],
        false => value.split(',').map(str::to_owned).collect(),
    };
    let values: Vec<String> = given.values.iter().flat_map(split).collect();
    let values = match values.as_slice() {
        [value] => match Range::read(value).filter(|_| !is_whole(value)) {
            Some(range) => Values::Range(range),
            None => return Ok(None),
        },
        _ => Values::List(values),
    };
    match flag.as_str() {
        "seed" => bad_usage!(
            "--seed: found several, expected --seeds, with which every configuration is trained"
        ),
        "output-dir" => bad_usage!("--output-dir: found several, expected one folder for all runs"),
        _ => {}
    }
    if let Values::List(values) = &values
        && let Some(n) = (1..values.len()).find(|n| values[..*n].contains(&values[*n]))
    {
        bad_usage!("--{flag}: found {} twice, expected it once", values[n]);
    }
    Ok(Some(values))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::args::Cli;

    /// The words that are fixed, and the flags that are varied with their values.
    fn taken_apart(words: &str) -> (Vec<String>, Vec<(String, Vec<String>)>) {
        let command = Cli::command();
        let verb = command.find_subcommand("train-glue").unwrap();
        let words: Vec<OsString> = words.split(' ').map(Into::into).collect();
        let line = read("train-glue", verb, &words).unwrap();
        let fixed = line
            .fixed
            .iter()
            .map(|word| word.to_str().unwrap().to_owned());
        let axes = line.axes.into_iter().map(|axis| match axis.values {
            Values::List(values) => (axis.flag, values),
            Values::Range(range) => panic!("{range:?}"),
        });
        (fixed.collect(), axes.collect())
    }

    #[test]
    fn a_value_that_may_hold_a_comma_is_one_value() {
        for (words, expected) in [
            ("--learning-rate 1e-5,2e-5", Some(&["1e-5", "2e-5"][..])),
            ("--optim=bert-adam,adamw", Some(&["bert-adam", "adamw"])),
            ("--per-device-train-batch-size 8,16", Some(&["8", "16"])),
            (
                "--lr-scheduler-type linear,cosine",
                Some(&["linear", "cosine"]),
            ),
            ("--freeze embeddings,0-1", None),
            ("--freeze 0,1 --freeze 0", Some(&["0,1", "0"])),
            ("--train-file a,b.csv", None),
            ("--validation-file a,b.csv", None),
            ("--text-column a,b --text-column c", Some(&["a,b", "c"])),
            ("--label-separator ,", None),
            ("--class-weights balanced", None),
            ("--seeds 1,2,3", None),
            ("--eval-file a --eval-file b", None),
            ("--bf16 --task mrpc", None),
        ] {
            let (fixed, axes) = taken_apart(words);
            let values: Vec<&[String]> = axes.iter().map(|(_, values)| values.as_slice()).collect();
            match expected {
                Some(expected) => assert_eq!(values, [expected], "{words}"),
                None => assert!(axes.is_empty() && fixed.len() > 1, "{words}: {axes:?}"),
            }
        }
    }
}
