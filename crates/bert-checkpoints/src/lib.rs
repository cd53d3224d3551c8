//! Folders of a training run's state, and the lock of the folder they are in.
//!
//! | in the folder of a [`CheckpointStore`] | what it is |
//! | --- | --- |
//! | `step-00000100` | a checkpoint: files, and a `checksums.json` with the size and the SHA-256 of each |
//! | names with a dot in front | folders being written or taken away, until [`CheckpointStore::open`] |
//! | anything else | left alone |
//!
//! A checkpoint is written under a dotted name, synced and renamed, and taken away the other way round, so a folder
//! under a `step-…` name is whole at every moment. What the files hold is the caller's business.
//!
//! One run works in a folder at a time: the store takes no lock of its own, [`OutputLock`] is for that.

mod checksums;
mod error;
mod folders;
mod lock;
mod names;
mod publish;
mod renames;
mod store;

pub use error::CheckpointError;
pub use lock::OutputLock;
pub use store::{CheckpointStore, NewestIntact};
