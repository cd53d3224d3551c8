//! Why a model or a dataset could not be fetched.

use std::io;
use std::path::PathBuf;

use bert_files::FileError;
use thiserror::Error;

use crate::{Fault, Namesake};

/// A model or dataset that could not be fetched, or whose bytes are wrong.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HubError {
    /// A text that is not a model's name.
    #[error(
        "{found:?}: found {why}, expected a model's name such as bert-base-uncased, owner/name or owner/name@revision"
    )]
    Name {
        /// The name.
        found: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A path that leads to nothing, and cannot be the name of a model.
    #[error(
        "{}: found no such folder, expected a checkpoint with config.json, vocab.txt or tokenizer.json, and model.safetensors or pytorch_model.bin, or a name on the Hugging Face hub such as bert-base-uncased{}",
        path.display(),
        namesake.as_ref().map_or_else(String::new, |it| format!(" ({it})"))
    )]
    NoSuchFolder {
        /// The path.
        path: PathBuf,
        /// The model that the path would name if its first folder did not exist.
        namesake: Option<Namesake>,
    },
    /// A variable of the environment, or a setting, whose value cannot be used.
    #[error("{name}: found {found:?}, expected {expected}: correct or unset it")]
    Setting {
        /// The variable or setting.
        name: &'static str,
        /// Its value; not that of a secret.
        found: String,
        /// What it should be.
        expected: &'static str,
    },
    /// There is no home folder, so there is no place for the cache.
    #[error("found no home folder for the cache, expected one: set HF_HOME to a folder")]
    NoHome,
    /// The hub has no such model, or the model is private and the token may not read it.
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
    /// The hub refuses access: it needs a token, or another one.
    #[error(
        "{url}: found status {status} ({}), expected access: {}",
        if *gated { "access denied, as the model is gated" } else { "access denied" },
        match (gated, token) {
            (true, _) => "accept its terms on its page on the hub, and set HF_TOKEN to a token of the same account",
            (false, true) => "check that HF_TOKEN, or the token file, holds a valid token that may read the model",
            (false, false) => "set HF_TOKEN to a token that may read the model",
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
    /// Downloads are forbidden, and the cache does not hold the model.
    #[error(
        "{}: found no complete copy of {name}, expected one because HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE forbids downloads: unset that variable, or download the model first",
        cache.display()
    )]
    Offline {
        /// The model.
        name: String,
        /// The cache.
        cache: PathBuf,
    },
    /// No connection could be made, and no earlier request of this process got through either.
    #[error(
        "{url}: found no connection ({source}), expected one: check the network, HTTPS_PROXY and HF_ENDPOINT, or name a folder of this machine"
    )]
    NoConnection {
        /// What was asked for.
        url: String,
        /// What the connection says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A server that failed at every attempt.
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
    /// A status that another attempt would not change.
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
    /// A file that is larger than any file of its kind has to be.
    #[error(
        "{url}: found {}, expected at most {limit} bytes for a file of this kind: check the name and HF_ENDPOINT",
        found.map_or_else(|| "more bytes".to_owned(), |found| format!("{found} bytes"))
    )]
    TooLarge {
        /// What was asked for.
        url: String,
        /// Its size in bytes, where the server states it.
        found: Option<u64>,
        /// The most bytes.
        limit: u64,
    },
    /// A file of another size.
    #[error(
        "{url}: found {found} bytes, expected {expected}: the server, or a proxy before it, sends a different file; try again later or on another network"
    )]
    Size {
        /// What was asked for.
        url: String,
        /// Its size in bytes.
        found: u64,
        /// The size in bytes that it should have.
        expected: u64,
    },
    /// A file with a wrong hash. It is deleted.
    #[error(
        "{url}: found {algorithm} {found}, expected {expected}: the file is deleted; try again, and if its hash stays wrong it has changed on the server"
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
    /// An archive with a member that the dataset's archive does not have.
    #[error("{}: found {found} in the archive, expected {expected}", path.display())]
    Member {
        /// The archive.
        path: PathBuf,
        /// What is wrong.
        found: String,
        /// What should be there.
        expected: &'static str,
    },
    /// A row of MRPC's source files that cannot be read.
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
    #[error("the download was interrupted: run the same command again to continue it")]
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
    /// Whether another argument or setting helps, rather than another network, server or disk.
    #[must_use]
    pub fn is_bad_input(&self) -> bool {
        match self {
            Self::Name { .. }
            | Self::NoSuchFolder { .. }
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
            Self::NoConnection { .. }
            | Self::Unreachable { .. }
            | Self::NotAHub { .. }
            | Self::Redirect { .. }
            | Self::Connection { .. }
            | Self::TooLarge { .. }
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

    /// Whether a complete model of the cache may be used instead, as in `huggingface_hub`: the hub cannot be reached or
    /// does not answer as a hub, which says nothing about the model.
    pub(crate) fn lets_the_cache_serve(&self) -> bool {
        matches!(
            self,
            Self::NoConnection { .. }
                | Self::Unreachable { .. }
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
