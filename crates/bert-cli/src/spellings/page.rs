//! The tables of `docs/coming-from-python.md`.

use std::fmt::Write as _;

use bert_flags_page::{cell, prose};

use super::spelling::{Becomes, Spelling};
use super::table::TABLE;

/// A heading, and which rows stand below it.
type Section = (&'static str, fn(Becomes) -> bool);

const SECTIONS: [Section; 4] = [
    (
        "Flags with another name, or computed from several",
        |becomes| matches!(becomes, Becomes::Flag(_) | Becomes::Computed(_)),
    ),
    ("Flags that are taken with one value only", |becomes| {
        matches!(becomes, Becomes::Only(_))
    }),
    ("Flags that are refused", |becomes| {
        matches!(becomes, Becomes::Refused)
    }),
    ("Flags that do nothing here", |becomes| {
        matches!(becomes, Becomes::Nothing)
    }),
];

/// The tables as Markdown.
pub(crate) fn table() -> String {
    let mut page = String::new();
    for (heading, is_in) in SECTIONS {
        let has_third = heading != SECTIONS[2].0 && heading != SECTIONS[3].0;
        let _ = write!(page, "### {heading}\n\n");
        page.push_str(if has_third {
            "| there | here | |\n| --- | --- | --- |\n"
        } else {
            "| there | |\n| --- | --- |\n"
        });
        for row in TABLE.iter().filter(|row| is_in(row.becomes)) {
            let note = cell(&prose(row.note));
            let _ = match here(row) {
                Some(here) if has_third => writeln!(page, "| {} | {here} | {note} |", there(row)),
                _ => writeln!(page, "| {} | {note} |", there(row)),
            };
        }
        page.push('\n');
    }
    page.trim_end().to_owned() + "\n"
}

/// The names, with the commands where not every training takes them.
fn there(row: &Spelling) -> String {
    let names = [row.flag].into_iter().chain(row.aliases.iter().copied());
    let names = names.map(|name| format!("`--{}`", name.replace('-', "_")));
    let names: Vec<String> = names.collect();
    let verbs: Vec<&str> = row.verbs.iter().map(|verb| verb.name()).collect();
    let of = if verbs.len() < super::spelling::ALL.len() {
        format!(" ({})", verbs.join(", "))
    } else {
        String::new()
    };
    names.join(", ") + &of
}

fn here(row: &Spelling) -> Option<String> {
    match row.becomes {
        Becomes::Flag(flag) => Some(format!("`--{flag}`")),
        Becomes::Computed(flags) => Some(prose(flags)),
        Becomes::Only(values) => {
            let values: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
            Some(values.join(" or "))
        }
        Becomes::Nothing | Becomes::Refused => None,
    }
}
