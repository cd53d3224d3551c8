//! What can keep a model or a dataset from being had.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use bert_files::FileError;
use thiserror::Error;

/// A model or dataset that cannot be had, or not be trusted.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HubError {
    /// A model's name that is none.
    #[error(
        "{found:?}: found {why}, expected a model's name such as bert-base-uncased, owner/name or owner/name@revision"
    )]
    Name {
        /// The name.
        found: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A variable of the environment, or a setting, that makes no sense.
    #[error("{name}: found {found:?}, expected {expected}: mend or unset it")]
    Setting {
        /// The variable or setting.
        name: &'static str,
        /// Its value; not that of a secret.
        found: String,
        /// What it should be.
        expected: &'static str,
    },
    /// There is no home folder to keep a cache in.
    #[error("found no home folder for the cache, expected one: set HF_HOME to a folder")]
    NoHome,
    /// The hub has no such model, or does not say so to strangers.
    #[error(
        "{url}: found no model {name}, expected one: check the spelling{}",
        if *token { ", and that the token may read it if it is private" } else { ", and set HF_TOKEN if it is private" }
    )]
    NoSuchModel {
        /// Where it was looked for.
        url: String,
        /// The model.
        name: String,
        /// Whether a token was sent.
        token: bool,
    },
    /// The model has no such branch, tag or commit.
    #[error(
        "{url}: found no revision {revision:?} of {name}, expected one: check its branches and tags on the hub"
    )]
    NoSuchRevision {
        /// Where it was looked for.
        url: String,
        /// The model.
        name: String,
        /// The revision.
        revision: String,
    },
    /// The model lacks a file that it needs.
    #[error("{name}: found no {file} in it, expected one: choose a BERT model that has it")]
    NoSuchFile {
        /// The model.
        name: String,
        /// The file, or those of which one would do.
        file: &'static str,
    },
    /// The model's weights are in several files.
    #[error(
        "{name}: found weights in several files ({file}), expected one model.safetensors or pytorch_model.bin: save the model in one file and give its folder"
    )]
    Sharded {
        /// The model.
        name: String,
        /// The index of the several files.
        file: &'static str,
    },
    /// The hub wants to know who asks, or does not let him.
    #[error(
        "{url}: found status {status}{}, expected leave to read it: {}",
        if *gated { " (the model is gated)" } else { "" },
        match (gated, token) {
            (true, _) => "accept its terms on its page of the hub, and set HF_TOKEN to a token of that account",
            (false, true) => "check that HF_TOKEN, or the token file, has a valid token that may read it",
            (false, false) => "set HF_TOKEN to a token that may read it",
        }
    )]
    Refused {
        /// What was asked for.
        url: String,
        /// The status: 401 or 403.
        status: u16,
        /// Whether its terms must be accepted.
        gated: bool,
        /// Whether a token was sent.
        token: bool,
    },
    /// No requests are allowed, and the cache does not hold the model.
    #[error(
        "{}: found no complete {name}, expected one, as HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE is set: unset it, or download the model first",
        cache.display()
    )]
    Offline {
        /// The model.
        name: String,
        /// The cache.
        cache: PathBuf,
    },
    /// A server that cannot be reached, or fails, however often it is tried.
    #[error(
        "{url}: {fault} ({attempts} {}): check the connection and the proxy settings, or try again later; what has arrived is kept",
        if *attempts == 1 { "attempt" } else { "attempts" }
    )]
    Unreachable {
        /// What was asked for.
        url: String,
        /// What went wrong last.
        fault: Fault,
        /// How often it was tried.
        attempts: u32,
    },
    /// A status that no further attempt will mend.
    #[error("{url}: found status {status}, expected the file: check the address{}", hint(*status))]
    Status {
        /// What was asked for.
        url: String,
        /// The status.
        status: u16,
    },
    /// Something answers that is not a hub: a login page of the network, or a wrong `HF_ENDPOINT`.
    #[error(
        "{url}: found an answer without a valid {header}, expected a Hugging Face hub's: check HF_ENDPOINT, the proxy, and that this network asks for no login"
    )]
    NotAHub {
        /// What was asked for.
        url: String,
        /// The header that a hub sends.
        header: &'static str,
    },
    /// A redirect that leads nowhere, in circles, or from https to http.
    #[error(
        "{url}: found {found}, expected the file: check the address, HF_ENDPOINT and the proxy"
    )]
    Redirect {
        /// What was asked for.
        url: String,
        /// The redirect.
        found: String,
    },
    /// A secure connection that cannot be trusted, or an address that is none.
    #[error(
        "{url}: found no usable connection ({source}), expected a trusted one: check the address, the system's certificates (SSL_CERT_FILE) and the proxy settings"
    )]
    Connection {
        /// What was asked for.
        url: String,
        /// What the connection says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file of another size.
    #[error(
        "{url}: found {found} bytes, expected {expected}: the server or something before it sends another file; try again later or elsewhere"
    )]
    Size {
        /// What was asked for.
        url: String,
        /// Its size in bytes.
        found: u64,
        /// The size in bytes that it should have.
        expected: u64,
    },
    /// A file of other bytes. They are deleted.
    #[error(
        "{url}: found {algorithm} {found}, expected {expected}: the wrong bytes are deleted; try again, and if it stays so the server's file is another"
    )]
    Hash {
        /// What was asked for.
        url: String,
        /// The hash's name.
        algorithm: &'static str,
        /// The hash of what came.
        found: String,
        /// The hash that it should have.
        expected: String,
    },
    /// A file or folder that cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A file or folder that cannot be written.
    #[error(
        "{}: cannot be written: {source}: make room there, or choose another folder (for models with HF_HOME)",
        path.display()
    )]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A file that is not as it should be.
    #[error(transparent)]
    File(FileError),
    /// An archive that cannot be unpacked.
    #[error("{}: cannot be unpacked: {source}", path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// What the unpacking says.
        source: zip::result::ZipError,
    },
    /// An archive with something in it that a dataset's archive has not.
    #[error("{}: found {found} in the archive, expected {expected}", path.display())]
    Member {
        /// The archive.
        path: PathBuf,
        /// What is wrong.
        found: String,
        /// What should be there.
        expected: &'static str,
    },
    /// A row of MRPC's source files that is not as it should be.
    #[error("{}:{line}: found {found}, expected {expected}", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is there.
        found: String,
        /// What should be there.
        expected: &'static str,
    },
    /// [`Progress`](crate::Progress) asked to stop.
    #[error("the download was interrupted: the same command goes on where it was")]
    Interrupted,
}

impl From<FileError> for HubError {
    fn from(error: FileError) -> Self {
        match error {
            FileError::CreateFolder { path, source }
            | FileError::Write { path, source }
            | FileError::Lock { path, source } => Self::Write { path, source },
            FileError::Read { path, source } => Self::Read { path, source },
            other => Self::File(other),
        }
    }
}

impl HubError {
    /// Whether another argument or setting would mend it, as against the network, the server or the disk.
    #[must_use]
    pub fn is_bad_input(&self) -> bool {
        match self {
            Self::Name { .. }
            | Self::Setting { .. }
            | Self::NoHome
            | Self::NoSuchModel { .. }
            | Self::NoSuchRevision { .. }
            | Self::NoSuchFile { .. }
            | Self::Sharded { .. }
            | Self::Refused { .. }
            | Self::Offline { .. } => true,
            Self::Status { status, .. } => matches!(status, 404 | 410),
            Self::File(error) => error.is_bad_input(),
            Self::Unreachable { .. }
            | Self::NotAHub { .. }
            | Self::Redirect { .. }
            | Self::Connection { .. }
            | Self::Size { .. }
            | Self::Hash { .. }
            | Self::Read { .. }
            | Self::Write { .. }
            | Self::Archive { .. }
            | Self::Member { .. }
            | Self::Row { .. }
            | Self::Interrupted => false,
        }
    }

    /// Whether a complete model of the cache may stand in, as `huggingface_hub` lets it: the hub cannot be asked or
    /// does not answer as a hub, which says nothing about the model.
    pub(crate) fn lets_the_cache_serve(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::Connection { .. }
                | Self::NotAHub { .. }
                | Self::Redirect { .. }
                | Self::Refused { .. }
                | Self::NoSuchModel { .. }
        )
    }
}

fn hint(status: u16) -> &'static str {
    match status {
        407 => " and the proxy's user and password",
        _ => "",
    }
}

/// What can go wrong with one attempt and may go well with the next.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Fault {
    /// There is no connection, or it broke.
    #[error("found no working connection ({source}), expected an answer")]
    Connection {
        /// What the connection says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server says nothing.
    #[error("found no byte for {} s, expected more", after.as_secs_f32())]
    Stalled {
        /// How long it was waited.
        after: Duration,
    },
    /// The connection ended before the file did.
    #[error(
        "found the connection cut after {found} bytes, expected {}",
        expected.map_or_else(|| "more".to_owned(), |expected| expected.to_string())
    )]
    Cut {
        /// The bytes that there are.
        found: u64,
        /// The bytes of the file, where they are known.
        expected: Option<u64>,
    },
    /// The server is busy or broken.
    #[error(
        "found status {status}{}, expected the file",
        retry_after.map_or_else(String::new, |wait| format!(" (with Retry-After: {} s)", wait.as_secs()))
    )]
    Status {
        /// The status: 408, 429 or 5xx.
        status: u16,
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
    },
    /// The server sends another part of the file than was asked for.
    #[error("found the part {found:?} of the file, expected it from byte {expected}")]
    Part {
        /// What the server says it sends.
        found: String,
        /// Where it should begin.
        expected: u64,
    },
}
