//! Why the processes cannot work together.

/// An error of the collective.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CollectiveError {
    /// Another process has ended.
    #[error("process {rank} has ended")]
    Gone {
        /// The process.
        rank: usize,
    },
    /// The thread that talks to the other processes has ended.
    #[error("the other processes cannot be reached any more")]
    Closed,
    /// The devices between which the processes talk have failed.
    #[error("the processes cannot talk through their devices: {0}")]
    Failed(String),
    /// The processes cannot find each other.
    #[error("the processes cannot be joined: {0}")]
    NotJoined(String),
    /// More bytes than one message can have.
    #[error("found a message of {found} bytes, expected at most {most}")]
    TooLong {
        /// Its bytes.
        found: usize,
        /// The most that there may be.
        most: usize,
    },
}
