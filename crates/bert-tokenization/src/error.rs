//! What can be wrong with a tokenizer's files.

use std::io;
use std::path::PathBuf;

use bert_files::{FileError, cut, quoted};
use thiserror::Error;

/// A tokenizer that cannot be used. Every message is one line.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TokenizationError {
    /// A file cannot be read or written, or is no UTF-8 text.
    #[error(transparent)]
    File(#[from] FileError),
    /// A directory cannot be looked at.
    #[error("{}: {}", path.display(), describe(source))]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// The path to a checkpoint is a file.
    #[error("{}: found a file, expected a checkpoint's directory", path.display())]
    NotADirectory {
        /// The path.
        path: PathBuf,
    },
    /// A directory holds no vocabulary.
    #[error("{}: found neither tokenizer.json nor vocab.txt, expected one of them", dir.display())]
    NoVocabulary {
        /// The directory.
        dir: PathBuf,
    },
    /// A file is not JSON, or JSON of another shape.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1.
        line: usize,
        /// Byte of the line, counted from 1.
        column: usize,
        /// What was found and expected.
        message: String,
    },
    /// A vocabulary has no tokens.
    #[error("{}: found an empty vocabulary, expected tokens", path.display())]
    EmptyVocabulary {
        /// The file.
        path: PathBuf,
    },
    /// One token has two ids.
    #[error("{}: found token {} at ids {first} and {second}, expected unique tokens", path.display(), quoted(token))]
    DuplicateToken {
        /// The file.
        path: PathBuf,
        /// The token.
        token: String,
        /// Its first id: in `vocab.txt` the line, counted from 0.
        first: u32,
        /// The id at which it comes again.
        second: u32,
    },
    /// One id has two tokens.
    #[error("{}: found tokens {} and {} at id {id}, expected unique ids", path.display(), quoted(first), quoted(second))]
    DuplicateId {
        /// The file.
        path: PathBuf,
        /// The id.
        id: u32,
        /// The token that had it first.
        first: String,
        /// The token that has it again.
        second: String,
    },
    /// A token's id is far beyond any vocabulary's size.
    #[error("{}: found id {id} for token {}, expected less than {limit}", path.display(), quoted(token))]
    IdTooLarge {
        /// The file.
        path: PathBuf,
        /// The id.
        id: u32,
        /// The token.
        token: String,
        /// The first id that is too large.
        limit: u32,
    },
    /// A token cannot be written to `vocab.txt`.
    #[error("{}: found token {} at id {id}, expected one that a line of vocab.txt can hold", path.display(), quoted(token))]
    NoLine {
        /// The file.
        path: PathBuf,
        /// The id.
        id: usize,
        /// The token, which has a line break, or a byte order mark where the file begins.
        token: String,
    },
    /// BERT needs a special token that the vocabulary lacks.
    #[error("{}: found no {token} in the vocabulary, expected BERT's special tokens", path.display())]
    MissingSpecialToken {
        /// The file.
        path: PathBuf,
        /// The token.
        token: &'static str,
    },
    /// A file describes a tokenizer that is not BERT's.
    #[error("{}: {key}: found {}, expected {expected}", path.display(), cut(found))]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// JSON path.
        key: &'static str,
        /// What it says.
        found: String,
        /// What BERT's tokenizer has there.
        expected: String,
    },
    /// `vocab.txt` and `tokenizer.json` differ.
    #[error(
        "{}: token {id} is {} in vocab.txt and {} in tokenizer.json, expected one vocabulary",
        dir.display(),
        quoted(vocab_txt),
        quoted(tokenizer_json)
    )]
    VocabulariesDiffer {
        /// The checkpoint.
        dir: PathBuf,
        /// The first id at which they differ.
        id: usize,
        /// The token in `vocab.txt`, empty where it has none.
        vocab_txt: String,
        /// The token in `tokenizer.json`, empty where it has none.
        tokenizer_json: String,
    },
    /// Two of a checkpoint's files disagree on a setting.
    #[error("{}: {first} is {first_value} and {second} is {second_value}, expected them to agree", dir.display())]
    SettingsDiffer {
        /// The checkpoint.
        dir: PathBuf,
        /// File and key.
        first: &'static str,
        /// Its value.
        first_value: bool,
        /// Another file and key.
        second: &'static str,
        /// Its value.
        second_value: bool,
    },
    /// The caller asked for the other casing than the checkpoint's.
    #[error(
        "{}: the checkpoint is {} ({evidence}), expected {} because do_lower_case {} was asked for",
        dir.display(), casing(*do_lower_case), casing(!*do_lower_case), !*do_lower_case
    )]
    Casing {
        /// The checkpoint.
        dir: PathBuf,
        /// What the checkpoint needs.
        do_lower_case: bool,
        /// What in the checkpoint says so.
        evidence: String,
    },
    /// The WordPiece model failed.
    #[error("word {}: {message}", quoted(word))]
    WordPiece {
        /// The word, normalised.
        word: String,
        /// What the model said.
        message: String,
    },
}

fn casing(do_lower_case: bool) -> &'static str {
    if do_lower_case { "uncased" } else { "cased" }
}

fn describe(source: &io::Error) -> String {
    match source.kind() {
        io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        _ => source.to_string(),
    }
}

impl TokenizationError {
    /// Whether a file or a choice of the user is at fault, as against the machine that cannot write.
    #[must_use]
    pub fn is_bad_input(&self) -> bool {
        match self {
            Self::File(error) => error.is_bad_input(),
            _ => true,
        }
    }
}
