//! Why the server does not run.

use std::{io, net::SocketAddr, path::PathBuf, time::Duration};

use thiserror::Error;

/// A setting that cannot be used, or a refusal of the operating system.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServeError {
    /// A limit is zero.
    #[error("{setting}: found 0, expected at least 1: raise it or leave it out")]
    Zero {
        /// The setting.
        setting: &'static str,
    },
    /// A time limit is zero or too long.
    #[error(
        "{setting}: found {found:?}, expected above 0 and up to {expected:?}: correct it or leave it out"
    )]
    Timeout {
        /// The setting.
        setting: &'static str,
        /// The time.
        found: Duration,
        /// The longest there can be.
        expected: Duration,
    },
    /// A request may have more questions than may wait.
    #[error(
        "queue: found {queue}, expected at least {max_questions}, the questions that one request may have: \
         raise it or lower max_questions"
    )]
    QueueTooShort {
        /// Questions that may wait.
        queue: usize,
        /// Questions of a request at most.
        max_questions: usize,
    },
    /// More connections than can be counted.
    #[error("max_connections: found {found}, expected at most {expected}: lower it")]
    TooManyConnections {
        /// The setting.
        found: usize,
        /// The most there can be.
        expected: usize,
    },
    /// A name of the allow list is not a host name.
    #[error(
        "allowed_hosts: found {found:?}, expected a host name without scheme, port or path: correct it"
    )]
    HostName {
        /// The name.
        found: String,
    },
    /// An origin is none.
    #[error(
        "allowed_origins: found {found:?}, expected an origin such as https://a.example, in lower case and without a path: correct it"
    )]
    Origin {
        /// What it is instead.
        found: String,
    },
    /// A certificate or its key cannot be used.
    #[error("{}: cannot encrypt with it: {reason}: expected PEM, a certificate and the key that belongs to it", path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The address cannot be listened on.
    #[error("{address}: cannot listen: {source}: choose another address or port")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the operating system says.
        source: io::Error,
    },
    /// There is nothing to serve.
    #[error("models: found none, expected at least one")]
    NoModel,
    /// Two models cannot be told apart.
    #[error("models: found {name:?} twice, expected a name for each: give one another name")]
    SameName {
        /// The name.
        name: String,
    },
    /// The system refuses a thread or another resource that the server needs.
    #[error(
        "{address}: cannot start the server: {source}: check the system's limits on memory, threads and open files"
    )]
    Start {
        /// The address that it was to serve.
        address: SocketAddr,
        /// What the operating system says.
        source: io::Error,
    },
}

impl ServeError {
    /// Whether a setting is wrong, rather than the machine cannot start the server.
    pub fn is_bad_input(&self) -> bool {
        !matches!(self, Self::Start { .. })
    }
}
