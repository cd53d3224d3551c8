//! Texts that a user gives: on the command line, in a file, or on standard input.

use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use bert_corpus::Document;
use tracing::info;

use super::corpus;
use crate::args::{ContextArgs, DocumentArgs};
use crate::exit::bad_usage;

/// The most bytes of text that are read.
const LIMIT: u64 = 256 << 20;

/// The text that is asked about.
///
/// # Errors
/// When it cannot be read, is not UTF-8, or holds no word.
pub(crate) fn context(args: &ContextArgs) -> anyhow::Result<String> {
    Ok(single(args.text.as_deref(), args.context.as_deref())?.text)
}

/// What questions are asked about.
pub(crate) enum Context {
    /// One text.
    Text(String),
    /// Documents of a folder, or of several files.
    Documents(Vec<Document>),
}

/// What questions are asked about.
///
/// # Errors
/// When something of it cannot be read, is not UTF-8, or holds no word, but for what is in a folder.
pub(crate) fn documents(args: &DocumentArgs) -> anyhow::Result<Context> {
    if let ([] | [_], false) = (&args.context[..], args.context.iter().any(|it| it.is_dir())) {
        let context = args.context.first().map(PathBuf::as_path);
        return Ok(Context::Text(single(args.text.as_deref(), context)?.text));
    }
    let mut documents = Vec::new();
    for path in &args.context {
        if path.is_dir() {
            documents.extend(corpus::folder(path, |path| path.display().to_string())?);
        } else {
            documents.push(single(None, Some(path))?);
        }
    }
    Ok(Context::Documents(documents))
}

fn single(text: Option<&str>, context: Option<&Path>) -> anyhow::Result<Document> {
    let (name, text) = match (text, context) {
        (Some(text), _) => ("--text".to_owned(), text.to_owned()),
        (None, Some(path)) if path.as_os_str() != "-" => (path.display().to_string(), file(path)?),
        (None, _) => ("standard input".to_owned(), standard_input("the text")?),
    };
    if text.trim().is_empty() {
        bad_usage!("{name}: found no words, expected the text to ask about");
    }
    Ok(Document { name, text })
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
    let bytes = bert_files::read_once(path, LIMIT)?;
    Ok(bert_files::decode(path, &bytes)?.to_owned())
}

fn standard_input(what: &str) -> anyhow::Result<String> {
    if io::stdin().is_terminal() {
        info!("reading {what} from standard input; Ctrl-D ends it");
    }
    let mut bytes = Vec::new();
    // One more byte than the limit shows that there are more.
    let mut limited = io::stdin().lock().take(LIMIT + 1);
    if let Err(error) = limited.read_to_end(&mut bytes) {
        bad_usage!("standard input: cannot be read: {error}");
    }
    if bytes.len() as u64 > LIMIT {
        bad_usage!("standard input: found more than {LIMIT} bytes, expected at most that");
    }
    Ok(bert_files::decode(Path::new("standard input"), &bytes)?.to_owned())
}
