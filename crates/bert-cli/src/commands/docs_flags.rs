//! `bert docs-flags` and `bert docs-spellings`: the text of `docs/flags.md`, and the tables of
//! `docs/coming-from-python.md`.

use std::io::{self, Write};

use clap::CommandFactory;

use crate::args::Cli;

/// Prints the page.
///
/// # Errors
/// When stdout is closed.
pub(crate) fn run() -> io::Result<()> {
    let mut cli = Cli::command();
    // Global flags reach their verbs only here.
    cli.build();
    io::stdout().write_all(bert_flags_page::page(&cli).as_bytes())
}

/// Prints the tables.
///
/// # Errors
/// When stdout is closed.
pub(crate) fn spellings() -> io::Result<()> {
    io::stdout().write_all(crate::spellings::documentation().as_bytes())
}
