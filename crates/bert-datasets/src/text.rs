//! Data files as UTF-8 text.

use std::path::Path;

use bert_files::FileError;

/// The most bytes of a data file that are read: more than a hundred times the largest of SQuAD, SWAG and GLUE.
const LIMIT: u64 = 16 << 30;

/// Reads a file whole.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    bert_files::read(path, LIMIT)
}
