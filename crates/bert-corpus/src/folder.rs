//! The documents below a folder.

use std::{
    collections::HashSet,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use crate::CorpusError;

/// Bytes of a document at most.
const LIMIT: u64 = 256 << 20;

/// What is below a folder.
#[derive(Debug, Default)]
pub struct Folder {
    /// The documents, in the order of their paths: UTF-8 files named `.txt` or `.md`, with their texts.
    pub documents: Vec<(PathBuf, String)>,
    /// What should have been a document, or a folder of them: why it is none.
    pub unreadable: Vec<CorpusError>,
    /// Files and folders whose names begin with a dot.
    pub hidden: usize,
    /// Files of other kinds.
    pub others: usize,
}

/// Reads the documents below a folder. Symbolic links are followed; what two paths lead to is read once.
///
/// # Errors
///
/// Fails where the folder cannot be listed, and where there is no document.
pub fn read_folder(root: &Path) -> Result<Folder, CorpusError> {
    let mut found = Folder::default();
    let mut seen = HashSet::new();
    let mut open = vec![root.to_owned()];
    while let Some(path) = open.pop() {
        // What cannot be resolved cannot be read either, and is told below.
        if fs::canonicalize(&path).is_ok_and(|at| !seen.insert(at)) {
            continue;
        }
        if path != root && !path.is_dir() {
            match document(&path) {
                Ok(text) => found.documents.push((path, text)),
                Err(error) => found.unreadable.push(error),
            }
            continue;
        }
        let entries = match bert_files::entries(&path) {
            Ok(entries) => entries,
            Err(error) if path == root => return Err(error.into()),
            Err(error) => {
                found.unreadable.push(error.into());
                continue;
            }
        };
        // The last that is pushed is the first that is read.
        for (name, path) in entries.into_iter().rev() {
            if name.as_encoded_bytes().starts_with(b".") {
                found.hidden += 1;
            } else if path.is_dir() || is_document(&path) {
                open.push(path);
            } else {
                found.others += 1;
            }
        }
    }
    if found.documents.is_empty() {
        return Err(CorpusError::NoDocument {
            path: root.to_owned(),
            unreadable: found.unreadable.into_iter().next().map(Box::new),
        });
    }
    Ok(found)
}

fn is_document(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str);
    extension.is_some_and(|it| {
        ["txt", "md"]
            .iter()
            .any(|kind| it.eq_ignore_ascii_case(kind))
    })
}

fn document(path: &Path) -> Result<String, CorpusError> {
    let text = bert_files::read_text(path, LIMIT)?;
    if text.trim().is_empty() {
        let path = path.to_owned();
        return Err(CorpusError::Empty { path });
    }
    Ok(text)
}
