//! The folders of a run's states.
//!
//! | in the folder of a [`RunStateStore`] | what it is |
//! | --- | --- |
//! | `step-00000100` | a run state: files, and a `checksums.json` with the size and the SHA-256 of each |
//! | names with a dot in front | folders being written or taken away, until [`RunStateStore::open`] |
//! | anything else | left alone |
//!
//! A run state is written under a dotted name, synced and renamed, and taken away the other way round, so a folder
//! under a `step-…` name is whole at every moment. What the files hold is the caller's business.
//!
//! One run works in a folder at a time: the store takes no lock of its own, `bert_files::FolderLock` is for that.

mod checksums;
mod folders;
mod names;
mod publish;
mod store;

pub use store::{NewestIntact, RunStateStore};
