//! What goes wrong with one attempt.

use std::time::Duration;

use thiserror::Error;

/// Why one attempt failed, where the next may succeed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Fault {
    /// No connection could be made.
    #[error("found no connection ({source}), expected one")]
    NoConnection {
        /// What the connection says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The connection broke before there was an answer.
    #[error("found a broken connection ({source}), expected an answer")]
    Connection {
        /// What the connection says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server sends nothing.
    #[error("found no byte for {} s, expected more", after.as_secs_f32())]
    Stalled {
        /// How long it was waited for.
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
