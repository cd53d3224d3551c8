//! The text of `docs/flags.md`, made from a command line's own definition.

use std::fmt::Write as _;

use clap::builder::StyledStr;
use clap::{Arg, Command};

const INTRODUCTION: &str = "\
# Flags

<!-- Made by `cargo xtask docs` from crates/bert-cli. Do not edit: change the flags and run it again. -->

This page lists what `bert VERB --help` prints. `cargo xtask VERB` builds the program and passes the flags on.

- The 2018 scripts' spelling with underscores (`--train_batch_size`) works too.
- A flag on the command line wins over the same key in `--config`, and that wins over `--recipe`.
- Results go to stdout, logs and progress to stderr.
- The program ends with exit code 0 when it is done, 2 for bad usage or bad input (one line on stderr names what was found and
  what was expected), and 1 for anything else, which includes a run that was asked to stop and is saved.
";

/// The page of a program, whose flags are [built](Command::build): each verb's section has a table for each heading of its
/// help.
#[must_use]
pub fn page(cli: &Command) -> String {
    let mut page = INTRODUCTION.to_owned();
    let verbs: Vec<&Command> = cli
        .get_subcommands()
        .filter(|verb| !verb.is_hide_set() && verb.get_name() != "help")
        .collect();
    page.push_str("\nVerbs: ");
    let links: Vec<String> = verbs
        .iter()
        .map(|verb| format!("[{0}](#bert-{0})", verb.get_name()))
        .collect();
    page.push_str(&links.join(", "));
    page.push_str(".\n\n## Every verb\n");
    push_table(&mut page, &shown(cli, |_| true));
    for verb in verbs {
        push_verb(&mut page, verb);
    }
    page
}

/// One section: what the verb does, its examples, and a table for each heading of its help.
fn push_verb(page: &mut String, verb: &Command) {
    let about = verb.get_about().map(plain).unwrap_or_default();
    let _ = write!(
        page,
        "\n## `bert {}`\n\n{}\n",
        verb.get_name(),
        prose(&sentence(&about))
    );
    if let Some(examples) = verb.get_after_help().map(ToString::to_string) {
        let examples = examples.strip_prefix("EXAMPLES\n").unwrap_or(&examples);
        let _ = write!(page, "\n```text\n{}\n```\n", without_indent(examples));
    }
    let arguments = shown(verb, |argument| !argument.is_global_set());
    let mut headings: Vec<Option<&str>> = Vec::new();
    for argument in &arguments {
        if !headings.contains(&argument.get_help_heading()) {
            headings.push(argument.get_help_heading());
        }
    }
    // clap prints flags without a heading first.
    headings.sort_by_key(Option::is_some);
    for heading in headings {
        if let Some(heading) = heading {
            let _ = write!(page, "\n### {heading} of `{}`\n", verb.get_name());
        }
        let rows: Vec<&Arg> = arguments
            .iter()
            .copied()
            .filter(|argument| argument.get_help_heading() == heading)
            .collect();
        push_table(page, &rows);
    }
}

/// The arguments that help texts show; `--help` itself is left out.
fn shown(command: &Command, keep: impl Fn(&Arg) -> bool) -> Vec<&Arg> {
    command
        .get_arguments()
        .filter(|argument| !argument.is_hide_set() && argument.get_id() != "help")
        .filter(|argument| argument.get_id() != "version" && keep(argument))
        .collect()
}

fn push_table(page: &mut String, arguments: &[&Arg]) {
    if arguments.is_empty() {
        return;
    }
    page.push_str("\n| flag | default | meaning |\n| --- | --- | --- |\n");
    for argument in arguments {
        let (meaning, default) = meaning_and_default(argument);
        let _ = writeln!(
            page,
            "| {} | {} | {} |",
            cell(&name(argument)),
            cell(&prose(&default)),
            cell(&prose(&meaning))
        );
    }
}

/// The flag with its value, or the name of an argument without a flag.
fn name(argument: &Arg) -> String {
    let takes_value = argument.get_action().takes_values();
    let values: Vec<String> = argument
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set())
        .map(|value| value.get_name().to_owned())
        .collect();
    let value = if values.is_empty() {
        let names = argument.get_value_names().unwrap_or_default();
        names
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" ")
    } else {
        values.join("|")
    };
    let many = argument
        .get_num_args()
        .is_some_and(|range| range.max_values() > 1);
    let value = if many { format!("{value} …") } else { value };
    match (argument.get_long(), takes_value) {
        (Some(long), true) => format!("`--{long} {value}`"),
        (Some(long), false) => match argument.get_short() {
            Some(short) => format!("`--{long}`, `-{short}`"),
            None => format!("`--{long}`"),
        },
        (None, _) => format!("`{value}`"),
    }
}

/// What a flag means and its default, which stands either in clap's own field or, where it depends on something, in
/// brackets at the end of the help text.
fn meaning_and_default(argument: &Arg) -> (String, String) {
    let help = argument
        .get_long_help()
        .or_else(|| argument.get_help())
        .map(plain)
        .unwrap_or_default();
    let (mut meaning, written) = match help.rsplit_once("[default") {
        Some((meaning, default)) if default.ends_with(']') => {
            let default = default.trim_end_matches(']');
            let default = default.strip_prefix(':').unwrap_or(default).trim();
            (meaning.trim().to_owned(), default.to_owned())
        }
        _ => (help, String::new()),
    };
    let values = argument.get_possible_values();
    let explained: Vec<String> = values
        .iter()
        .filter(|value| !value.is_hide_set())
        .filter_map(|value| {
            Some(format!(
                "`{}`: {}",
                value.get_name(),
                plain(value.get_help()?)
            ))
        })
        .collect();
    if !explained.is_empty() {
        meaning = format!(
            "{}. {}",
            meaning.trim_end_matches('.'),
            explained.join("; ")
        );
    }
    let declared: Vec<String> = argument
        .get_default_values()
        .iter()
        .map(|value| format!("`{}`", value.to_string_lossy()))
        .collect();
    if argument.get_action().takes_values() && !declared.is_empty() {
        return (meaning, declared.join(", "));
    }
    if argument.is_required_set() && written.is_empty() {
        return (meaning, "required".to_owned());
    }
    (meaning, written)
}

/// Text without colours, on one line.
fn plain(text: &StyledStr) -> String {
    let text = text.to_string();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn sentence(text: &str) -> String {
    if text.is_empty() || text.ends_with('.') {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}

/// Help text as Markdown: flags in it become code.
#[must_use]
pub fn prose(text: &str) -> String {
    let is_flag = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let mut written = String::new();
    let mut in_code = false;
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        if next == '`' {
            in_code = !in_code;
        }
        let starts_flag = rest.starts_with("--") && !in_code && !written.ends_with(is_flag);
        let end = rest.find(|c: char| !is_flag(c)).unwrap_or(rest.len());
        if starts_flag && end > 2 {
            let _ = write!(written, "`{}`", &rest[..end]);
            rest = &rest[end..];
        } else {
            written.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    written
}

/// Text for a table's cell, which a vertical line ends, in code too.
#[must_use]
pub fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn without_indent(text: &str) -> String {
    text.lines()
        .map(|line| line.strip_prefix("  ").unwrap_or(line))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Command {
        Command::new("bert").subcommand(
            Command::new("walk").about("Walk").args([
                Arg::new("steps")
                    .long("steps")
                    .value_name("N|ALL")
                    .help("Steps; see --pace [default: 3 on land]"),
                Arg::new("pace")
                    .long("pace")
                    .help_heading("Style")
                    .value_parser(["slow", "fast"])
                    .default_value("slow")
                    .help("How fast"),
                Arg::new("secret").long("secret").hide(true),
            ]),
        )
    }

    #[test]
    fn a_table_holds_what_help_shows() {
        let mut command = example();
        command.build();
        let page = page(&command);
        for row in [
            "## `bert walk`\n\nWalk.\n",
            "| `--steps N\\|ALL` | 3 on land | Steps; see `--pace` |\n",
            "### Style of `walk`\n",
            "| `--pace slow\\|fast` | `slow` | How fast |\n",
        ] {
            assert!(page.contains(row), "{row}\nin\n{page}");
        }
        assert!(!page.contains("secret"), "{page}");
        assert!(!page.contains("--help |"), "{page}");
    }

    #[test]
    fn only_flags_outside_of_code_become_code() {
        for (text, markdown) in [
            ("as --seed does", "as `--seed` does"),
            ("(--seed).", "(`--seed`)."),
            ("`--seed 1` or --seeds", "`--seed 1` or `--seeds`"),
            ("a -- b", "a -- b"),
            ("pre--post", "pre--post"),
        ] {
            assert_eq!(prose(text), markdown);
        }
    }
}
