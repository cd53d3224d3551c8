//! What can be wrong with a tokenizer's files.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// A tokenizer that cannot be used. Every message is one line.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TokenizationError {
    /// The file system refused.
    #[error("{}: {}", path.display(), describe(source))]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// A tokenizer's file cannot be written.
    #[error("{}: cannot be written: {}", path.display(), describe(source))]
    Write {
        /// The file.
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
    /// A file is not UTF-8.
    #[error("{}: byte {offset}: found {found:#04x}, expected UTF-8 text", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The first wrong byte, counted from 0.
        offset: usize,
        /// Its value.
        found: u8,
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
    #[error("{}: found token {token:?} at ids {first} and {second}, expected unique tokens", path.display())]
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
    #[error("{}: found tokens {first:?} and {second:?} at id {id}, expected unique ids", path.display())]
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
    #[error("{}: found id {id} for token {token:?}, expected less than {limit}", path.display())]
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
    /// BERT needs a special token that the vocabulary lacks.
    #[error("{}: found no {token} in the vocabulary, expected BERT's special tokens", path.display())]
    MissingSpecialToken {
        /// The file.
        path: PathBuf,
        /// The token.
        token: &'static str,
    },
    /// A file describes a tokenizer that is not BERT's.
    #[error("{}: {key}: found {found}, expected {expected}", path.display())]
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
        "{}: token {id} is {vocab_txt:?} in vocab.txt and {tokenizer_json:?} in tokenizer.json, expected one vocabulary",
        dir.display()
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
    #[error("word {word:?}: {message}")]
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
        io::ErrorKind::IsADirectory => "found a directory, expected a file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => source.to_string(),
    }
}
