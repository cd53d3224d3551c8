//! A command line in the words of a user as clap reads it.

use std::ffi::OsString;

use clap::{CommandFactory, Parser};

use crate::args::Cli;
use crate::spellings::Translated;
use crate::{config, spellings};

/// A command line, read.
pub(crate) struct Interpreted {
    pub(crate) cli: Cli,
    /// What is not done as it is written, a line each.
    pub(crate) notes: Vec<String>,
    /// What is done as `transformers` does, or differently, a line each.
    pub(crate) decisions: Vec<String>,
}

/// Reads a command line whose flags have hyphens: puts other spellings into ours, adds recipes and files of settings, and
/// parses.
///
/// # Errors
/// A [`clap::Error`] where the flags are wrong or ask for help, and others where they ask for what is not here.
pub(crate) fn interpret(arguments: Vec<OsString>) -> anyhow::Result<Interpreted> {
    let command = Cli::command();
    let Translated {
        arguments,
        notes,
        decisions,
        defaults,
    } = spellings::translate(&command, arguments)?;
    let arguments = config::with_config(&command, arguments, defaults)?;
    Ok(Interpreted {
        cli: Cli::try_parse_from(arguments)?,
        notes,
        decisions,
    })
}
