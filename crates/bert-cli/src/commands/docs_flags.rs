//! `bert docs-flags`, `bert docs-spellings` and `bert docs-man`: the text of `docs/flags.md`, the tables of
//! `docs/coming-from-python.md`, and manual pages.

use std::io::{self, Write};

use clap::CommandFactory;

use crate::args::{Cli, DocsManArgs};

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

/// Writes a manual page for the program and for each command.
///
/// # Errors
/// When one cannot be written.
pub(crate) fn man(args: &DocsManArgs) -> io::Result<()> {
    clap_mangen::generate_to(Cli::command(), &args.dir)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", args.dir.display())))
}
