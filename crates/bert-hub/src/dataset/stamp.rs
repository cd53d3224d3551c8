//! A note of what was made of which source, by which a later look sees that nothing is left to do.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::Source;
use crate::HubError;
use crate::digest;
use crate::files::{read_error, write_bytes, write_error};

/// What was made of which sources.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    /// The SHA-256 of each source.
    sources: Vec<String>,
    files: Vec<Made>,
}

/// A file that was made.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Made {
    name: String,
    bytes: u64,
    sha256: String,
    /// When it was last written, in nanoseconds since 1970: a file with this time and size is not hashed again.
    modified: Option<u64>,
}

impl Stamp {
    /// Notes the files of a folder.
    pub(super) fn of(
        sources: &[&Source],
        folder: &Path,
        names: &[String],
    ) -> Result<Self, HubError> {
        let files = names.iter().map(|name| {
            let path = folder.join(name);
            let metadata = fs::metadata(&path).map_err(|source| read_error(&path, source))?;
            Ok(Made {
                name: name.clone(),
                bytes: metadata.len(),
                sha256: digest::sha256(&path)?,
                modified: modified(&metadata),
            })
        });
        Ok(Self {
            sources: sources.iter().map(|it| it.sha256.to_string()).collect(),
            files: files.collect::<Result<_, HubError>>()?,
        })
    }

    /// Reads a note; one that is not there or makes no sense says nothing.
    pub(super) fn read(path: &Path) -> Option<Self> {
        let stamp: Self = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        let is_name = |name: &str| !name.contains(['/', '\\', ':']) && name.ends_with(".tsv");
        (!stamp.files.is_empty() && stamp.files.iter().all(|it| is_name(&it.name))).then_some(stamp)
    }

    pub(super) fn write(&self, path: &Path) -> Result<(), HubError> {
        let json =
            serde_json::to_vec_pretty(self).map_err(|error| write_error(path, error.into()))?;
        write_bytes(path, &json)
    }

    /// The files' paths, if they were made of these sources and are as they were made. Those that have been touched are
    /// hashed, and if they are the same after all, the note is renewed.
    pub(super) fn confirm(
        mut self,
        sources: &[&Source],
        folder: &Path,
        path: &Path,
    ) -> Result<Option<Vec<PathBuf>>, HubError> {
        if !self.sources.iter().eq(sources.iter().map(|it| &*it.sha256)) {
            return Ok(None);
        }
        let mut touched = false;
        let mut paths = Vec::new();
        for made in &mut self.files {
            let path = folder.join(&made.name);
            let Ok(metadata) = fs::metadata(&path) else {
                return Ok(None);
            };
            if !metadata.is_file() || metadata.len() != made.bytes {
                return Ok(None);
            }
            let now = modified(&metadata);
            if now.is_none() || now != made.modified {
                if digest::sha256(&path)? != made.sha256 {
                    return Ok(None);
                }
                touched |= now.is_some();
                made.modified = now;
            }
            paths.push(path);
        }
        if touched {
            // It only saves the hashing.
            let _ = self.write(path);
        }
        Ok(Some(paths))
    }
}

fn modified(metadata: &fs::Metadata) -> Option<u64> {
    let time: SystemTime = metadata.modified().ok()?;
    time.duration_since(UNIX_EPOCH)
        .ok()?
        .as_nanos()
        .try_into()
        .ok()
}
