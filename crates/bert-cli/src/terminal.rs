//! How the program speaks: `--quiet`, `--json`, and colours where a person reads.

use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;

/// What the user asked for of every command.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Manners {
    /// No progress and no notices: warnings and errors only.
    pub(crate) quiet: bool,
    /// Results as JSON.
    pub(crate) json: bool,
}

static MANNERS: OnceLock<Manners> = OnceLock::new();

/// Says once, before anything is printed, how to speak.
pub(crate) fn set(manners: Manners) {
    // A second call would be the same program's.
    let _ = MANNERS.set(manners);
}

/// Whether progress and notices are left out.
pub(crate) fn quiet() -> bool {
    MANNERS.get().is_some_and(|manners| manners.quiet)
}

/// Whether results are printed as JSON.
pub(crate) fn json() -> bool {
    MANNERS.get().is_some_and(|manners| manners.json)
}

/// Whether a stream takes colours: it is a terminal, and `NO_COLOR` is not set (<https://no-color.org>).
pub(crate) fn has_colours(stream: &impl IsTerminal) -> bool {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    stream.is_terminal() && !no_color && !dumb
}

/// Prints a line of results.
///
/// # Errors
/// When stdout is closed.
pub(crate) fn line(text: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{text}")
}
