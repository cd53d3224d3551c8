//! Files as every other crate writes, locks and reads them.
//!
//! | what is wanted | what does it |
//! | --- | --- |
//! | one whole file, or the old one | [`write_atomically`], [`StagedFile`] |
//! | several files that belong together | [`Replacement`] |
//! | either of the two, decided by the caller | [`Destination`] |
//! | no half-written files of a killed process | [`remove_leftovers`] |
//! | the sole use of a folder, or of what a file stands for | [`FolderLock`], [`FileLock`] |
//! | a file's bytes or its text, up to a limit | [`read`], [`read_text`], [`read_once`], [`open`] |
//! | a value of a file in an error message | [`quoted`], [`cut`], [`JsonFault`] |
//!
//! A file that is being written has a name that begins with `.bert-tmp-` and stands in the folder of the file that it
//! becomes. No other crate makes such names or looks for them.

mod destination;
mod error;
mod folders;
mod leftovers;
mod lock;
mod quote;
mod read;
mod renames;
mod replacement;
mod staged;
mod temporary;

pub use destination::Destination;
pub use error::{FileError, FileKind};
pub use folders::{create_folder, entries, sync_folder};
pub use leftovers::remove_leftovers;
pub use lock::{FileLock, FolderLock};
pub use quote::{JsonFault, cut, quoted};
pub use read::{decode, open, read, read_if_present, read_once, read_text};
pub use renames::{Renames, rename_durably};
pub use replacement::Replacement;
pub use staged::{StagedFile, write_atomically};
pub use temporary::temporary_beside;
