//! Texts that a user gives: on the command line, in a file, or on standard input.

use std::io::{self, IsTerminal, Read};
use std::path::Path;

use tracing::info;

use crate::args::ContextArgs;
use crate::exit::bad_usage;

/// The text that is asked about.
///
/// # Errors
/// When it cannot be read, is not UTF-8, or holds no word.
pub(crate) fn context(args: &ContextArgs) -> anyhow::Result<String> {
    let (name, text) = match (&args.text, &args.context) {
        (Some(text), _) => ("--text".to_owned(), text.clone()),
        (None, Some(path)) if path.as_os_str() != "-" => (path.display().to_string(), file(path)?),
        (None, _) => ("standard input".to_owned(), standard_input("the text")?),
    };
    if text.trim().is_empty() {
        bad_usage!("{name}: found no words, expected the text to ask about");
    }
    Ok(text)
}

/// The lines of standard input that are not blank.
///
/// # Errors
/// When it cannot be read, is not UTF-8, or is empty.
pub(crate) fn lines() -> anyhow::Result<Vec<String>> {
    let text = standard_input("one text a line")?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let lines: Vec<String> = lines.map(str::to_owned).collect();
    if lines.is_empty() {
        bad_usage!("standard input: found no text, expected one a line");
    }
    Ok(lines)
}

fn file(path: &Path) -> anyhow::Result<String> {
    match std::fs::read(path) {
        Ok(bytes) => utf8(&path.display().to_string(), bytes),
        Err(error) => bad_usage!(
            "{}: cannot be read: {error}; expected a text file",
            path.display()
        ),
    }
}

fn standard_input(what: &str) -> anyhow::Result<String> {
    if io::stdin().is_terminal() {
        info!("reading {what} from standard input; Ctrl-D ends it");
    }
    let mut bytes = Vec::new();
    if let Err(error) = io::stdin().lock().read_to_end(&mut bytes) {
        bad_usage!("standard input: cannot be read: {error}");
    }
    utf8("standard input", bytes)
}

/// Text without a byte order mark.
fn utf8(name: &str, bytes: Vec<u8>) -> anyhow::Result<String> {
    match String::from_utf8(bytes) {
        Ok(text) => Ok(match text.strip_prefix('\u{feff}') {
            Some(text) => text.to_owned(),
            None => text,
        }),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let line = 1 + error.as_bytes()[..at]
                .iter()
                .filter(|b| **b == b'\n')
                .count();
            bad_usage!(
                "{name}:{line}: found bytes that are not UTF-8 (byte {at}), expected text in UTF-8"
            )
        }
    }
}
