//! How results and notices are written: `--quiet`, `--json`, and colours on a terminal.

use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;

/// How results and notices are written.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct OutputStyle {
    /// No progress and no notices: warnings and errors only.
    pub(crate) quiet: bool,
    /// Results as JSON.
    pub(crate) json: bool,
}

static STYLE: OnceLock<OutputStyle> = OnceLock::new();

/// Sets the style, once, before anything is printed.
pub(crate) fn set(style: OutputStyle) {
    // A second call would be the same program's.
    let _ = STYLE.set(style);
}

/// Whether progress and notices are left out.
pub(crate) fn quiet() -> bool {
    STYLE.get().is_some_and(|style| style.quiet)
}

/// Whether results are printed as JSON.
pub(crate) fn json() -> bool {
    STYLE.get().is_some_and(|style| style.json)
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
