//! `checksums.json`: the size and the SHA-256 of every other file of a run state.
//!
//! Without spaces and without a newline at the end, so that no shorter file and no flipped bit means the same.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use bert_files::{entries, sync_folder};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{RecordError, hex::hex};

const FILE_NAME: &str = "checksums.json";
const FORMAT: u64 = 1;
/// The most bytes of checksums that are read. A run state has some ten files.
const LIMIT: u64 = 1 << 20;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Checksums {
    format: u64,
    files: BTreeMap<String, Checksum>,
    /// Of the two above, so that damage to this file is not taken for damage to those it lists.
    sha256: String,
}

impl Checksums {
    fn new(files: BTreeMap<String, Checksum>) -> serde_json::Result<Self> {
        Ok(Self {
            format: FORMAT,
            sha256: digest(FORMAT, &files)?,
            files,
        })
    }
}

fn digest(format: u64, files: &BTreeMap<String, Checksum>) -> serde_json::Result<String> {
    let text = serde_json::to_vec(&(format, files))?;
    Ok(hex(&Sha256::digest(text)))
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Checksum {
    bytes: u64,
    /// 64 lower-case hexadecimal digits.
    sha256: String,
}

/// Syncs the files of `folder`, writes their checksums, and syncs those and the folder.
///
/// Errors name the files by the run state's final name, `target`.
pub(crate) fn seal(folder: &Path, target: &Path) -> Result<(), RecordError> {
    let mut files = BTreeMap::new();
    for (name, path) in entries(folder)? {
        let target = target.join(&name);
        let name = match name.into_string() {
            Ok(name) if name != FILE_NAME => name,
            _ => return Err(RecordError::FileName { path: target }),
        };
        let write_error = |source| RecordError::WriteRunState {
            path: target.clone(),
            source,
        };
        if !fs::symlink_metadata(&path).map_err(write_error)?.is_file() {
            return Err(RecordError::NotAFile { path: target });
        }
        files.insert(name, sync_and_sum(&path).map_err(write_error)?);
    }
    let target = target.join(FILE_NAME);
    let json = Checksums::new(files).and_then(|checksums| serde_json::to_vec(&checksums));
    let json = match json {
        Ok(json) => json,
        Err(source) => {
            return Err(RecordError::Json {
                path: target,
                source,
            });
        }
    };
    let write = || {
        let mut file = File::create_new(folder.join(FILE_NAME))?;
        file.write_all(&json)?;
        file.sync_all()?;
        sync_folder(folder)
    };
    write().map_err(|source| RecordError::WriteRunState {
        path: target,
        source,
    })
}

/// Checks that a folder holds the files of its checksums, as they were.
pub(crate) fn check(folder: &Path) -> Result<(), RecordError> {
    let found = entries(folder)?;
    let Checksums { mut files, .. } = read(&folder.join(FILE_NAME))?;
    let mut expected = Vec::with_capacity(files.len());
    // Names and sizes first: they cost nothing, and a run state is large.
    for (name, path) in found {
        if name == FILE_NAME {
            continue;
        }
        // What a user has put beside them harms no one.
        let Some(checksum) = name.to_str().and_then(|name| files.remove(name)) else {
            continue;
        };
        let bytes = size(&path)?;
        if bytes != checksum.bytes {
            return Err(RecordError::Size {
                path,
                found: bytes,
                expected: checksum.bytes,
            });
        }
        expected.push((path, checksum));
    }
    if let Some(name) = files.keys().next() {
        return Err(RecordError::MissingFile {
            path: folder.join(name),
        });
    }
    for (path, checksum) in expected {
        let found = match File::open(&path).and_then(|mut file| sum(&mut file)) {
            Ok(found) => found,
            Err(source) => return Err(RecordError::ReadRunState { path, source }),
        };
        if found.sha256 != checksum.sha256 {
            return Err(RecordError::Sha256 {
                path,
                found: found.sha256,
                expected: checksum.sha256,
            });
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Checksums, RecordError> {
    let bytes = size(path)?;
    if bytes > LIMIT {
        return Err(RecordError::ChecksumsTooLarge {
            path: path.to_owned(),
            found: bytes,
            limit: LIMIT,
        });
    }
    let json = fs::read(path).map_err(|source| RecordError::ReadRunState {
        path: path.to_owned(),
        source,
    })?;
    let checksums: Checksums =
        serde_json::from_slice(&json).map_err(|source| RecordError::Checksums {
            path: path.to_owned(),
            source: source.into(),
        })?;
    let found =
        digest(checksums.format, &checksums.files).map_err(|source| RecordError::Checksums {
            path: path.to_owned(),
            source: source.into(),
        })?;
    if found != checksums.sha256 {
        return Err(RecordError::Sha256 {
            path: path.to_owned(),
            found,
            expected: checksums.sha256,
        });
    }
    // Only now: a damaged number is damage, not another program's.
    if checksums.format != FORMAT {
        return Err(RecordError::Format {
            path: path.to_owned(),
            found: checksums.format,
            expected: FORMAT,
        });
    }
    Ok(checksums)
}

/// The length of a plain file. Asked before it is opened, for opening a pipe would wait for ever.
fn size(path: &Path) -> Result<u64, RecordError> {
    let path = path.to_owned();
    match fs::symlink_metadata(&path) {
        Ok(metadata) if metadata.is_file() => Ok(metadata.len()),
        Ok(_) => Err(RecordError::NotAFile { path }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(RecordError::MissingFile { path })
        }
        Err(source) => Err(RecordError::ReadRunState { path, source }),
    }
}

fn sync_and_sum(path: &Path) -> io::Result<Checksum> {
    // Windows syncs only what is open for writing; elsewhere a caller's read-only file is synced too.
    let mut file = File::options().read(true).write(cfg!(windows)).open(path)?;
    let checksum = sum(&mut file)?;
    file.sync_all()?;
    Ok(checksum)
}

fn sum(file: &mut File) -> io::Result<Checksum> {
    let mut hashing = Hashing(Sha256::new());
    let bytes = io::copy(file, &mut hashing)?;
    Ok(Checksum {
        bytes,
        sha256: hex(&hashing.0.finalize()),
    })
}

/// A writer that hashes what it is given.
struct Hashing(Sha256);

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_compact_sorted_and_ends_with_its_brace() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("b"), "abc").expect("it is written");
        fs::write(folder.path().join("a"), "").expect("it is written");
        seal(folder.path(), Path::new("step-00000001")).expect("it is sealed");
        // The digests of nothing and of "abc" are those of FIPS 180-4's examples.
        assert_eq!(
            fs::read_to_string(folder.path().join(FILE_NAME)).expect("it is there"),
            concat!(
                r#"{"format":1,"files":{"#,
                r#""a":{"bytes":0,"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},"#,
                r#""b":{"bytes":3,"sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}},"#,
                // sha256sum of [1,{…}], the two values above.
                r#""sha256":"1d07afa63d468150f992cac755daccf19f52ccb70c85af93e3bb8f03a92fd910"}"#,
            )
        );
        check(folder.path()).expect("it is whole");
    }

    #[test]
    fn a_listed_path_leads_nowhere_else() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let outside = Checksum {
            bytes: 0,
            sha256: String::new(),
        };
        let checksums = Checksums::new(BTreeMap::from([("../a".to_owned(), outside)]));
        let json = serde_json::to_vec(&checksums.expect("it has a digest")).expect("it has a form");
        fs::write(folder.path().join(FILE_NAME), json).expect("it is written");
        let error = check(folder.path()).expect_err("there is no such file");
        assert!(error.to_string().contains("found no such file"), "{error}");
    }

    #[test]
    fn more_than_a_run_state_has_is_not_read() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = File::create(folder.path().join(FILE_NAME)).expect("it is made");
        file.set_len(1 << 40).expect("it has holes");
        let error = check(folder.path()).expect_err("it is no list of checksums");
        let expected = "found 1099511627776 bytes, expected 1048576 at most";
        assert!(
            error.is_damage() && error.to_string().contains(expected),
            "{error}"
        );
    }

    #[test]
    fn another_format_is_no_damage() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let digest = digest(2, &BTreeMap::new()).expect("it has a digest");
        let text = format!(r#"{{"format":2,"files":{{}},"sha256":"{digest}"}}"#);
        fs::write(folder.path().join(FILE_NAME), text).expect("it is written");
        let error = check(folder.path()).expect_err("it is of another format");
        assert!(!error.is_damage(), "{error}");
        assert!(
            error.to_string().contains("found format 2, expected 1"),
            "{error}"
        );
    }

    #[test]
    fn other_forms_of_the_text_are_damage() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(FILE_NAME);
        for (text, says) in [
            ("", "cannot be read as checksums: EOF"),
            ("null", "cannot be read as checksums"),
            (r#"{"format":1}"#, "missing field `files`"),
            (r#"{"files":{},"sha256":""}"#, "missing field `format`"),
            (r#"{"format":1,"files":{}}"#, "missing field `sha256`"),
            (
                r#"{"format":1,"files":{},"sha256":"00"}"#,
                "checksums.json: found SHA-256",
            ),
            (
                r#"{"format":2,"files":{},"sha256":""}"#,
                "checksums.json: found SHA-256",
            ),
            (r#"{"format":-1,"files":{}}"#, "invalid value"),
            (
                r#"{"format":1,"files":{},"more":0}"#,
                "unknown field `more`",
            ),
            (
                r#"{"format":1,"files":{},"sha256":""}}"#,
                "trailing characters",
            ),
            (
                r#"{"format":1,"files":{"a":{"bytes":0,"sha256":"","x":1}}}"#,
                "unknown field `x`",
            ),
            (
                r#"{"format":1,"files":{"a":{"bytes":"0","sha256":""}}}"#,
                "invalid type",
            ),
        ] {
            fs::write(&path, text).expect("it is written");
            let error = check(folder.path()).expect_err(text);
            assert!(error.is_damage(), "{error}");
            let message = error.to_string();
            assert!(message.contains(says), "{text}: {message}");
            assert_eq!(message.lines().count(), 1, "{message}");
        }
    }
}
