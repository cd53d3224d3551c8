//! `completions`: what a shell needs to complete our commands and flags.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::generate;

use crate::args::{Cli, CompletionsArgs};

/// Prints the script for a shell.
///
/// # Errors
/// When stdout is closed.
pub(crate) fn run(args: &CompletionsArgs) -> io::Result<()> {
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    generate(args.shell, &mut command, name, &mut script);
    io::stdout().write_all(&script)
}
