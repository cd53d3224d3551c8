//! The files a run reads, by what they hold.

use std::{
    io::{self, Read},
    path::Path,
};

use bert_files::FileError;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{RecordError, hex::hex};

/// An input file and what it held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputFile {
    /// The path as the run was given it; text that is not Unicode is replaced.
    pub path: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of the content, 64 lower-case hexadecimal digits.
    pub sha256: String,
}

impl InputFile {
    /// Reads a file once, without holding it in memory.
    ///
    /// # Errors
    ///
    /// Fails where the file cannot be read, and for a pipe or a device: a run reads its inputs again for their content.
    pub fn read(path: &Path) -> Result<Self, RecordError> {
        let mut file = bert_files::open(path)?;
        let (bytes, sha256) = checksum(&mut file).map_err(FileError::read(path))?;
        Ok(Self {
            path: path.display().to_string(),
            bytes,
            sha256,
        })
    }

    /// Data of a program that are in no file, under a name.
    pub fn of_bytes(name: &str, bytes: &[u8]) -> Self {
        Self {
            path: name.to_owned(),
            bytes: bytes.len() as u64,
            sha256: hex(&Sha256::digest(bytes)),
        }
    }

    fn has_content_of(&self, other: &Self) -> bool {
        self.bytes == other.bytes && self.sha256 == other.sha256
    }

    /// The first digits of the checksum: enough to tell files apart, and short enough for a message.
    fn digest_prefix(&self) -> String {
        self.sha256.chars().take(12).collect()
    }
}

/// Says of every input what has changed about it, one clause an input; empty where all content is the same.
///
/// As many inputs as earlier are matched by their position, otherwise by path, and the rest of those by content. A path
/// alone may differ: a data folder that was moved holds the same data.
pub fn changed_inputs(earlier: &[InputFile], now: &[InputFile]) -> Vec<String> {
    if earlier.len() == now.len() {
        return earlier
            .iter()
            .zip(now)
            .filter_map(|(was, is)| content_change(was, is))
            .collect();
    }
    let mut gone: Vec<&InputFile> = earlier.iter().collect();
    // A path claims its earlier self before content does, or one of two equal files could take the other's place.
    let by_path: Vec<_> = now
        .iter()
        .map(|is| (is, take(&mut gone, |was| was.path == is.path)))
        .collect();
    let mut clauses = Vec::new();
    for (is, was) in by_path {
        match was.or_else(|| take(&mut gone, |was| was.has_content_of(is))) {
            Some(was) => clauses.extend(content_change(was, is)),
            None => clauses.push(format!("{} is new", is.path)),
        }
    }
    clauses.extend(gone.iter().map(|was| format!("{} is gone", was.path)));
    clauses
}

/// Removes the first file that fits.
fn take<'a>(
    files: &mut Vec<&'a InputFile>,
    fits: impl Fn(&InputFile) -> bool,
) -> Option<&'a InputFile> {
    let at = files.iter().position(|file| fits(file))?;
    Some(files.remove(at))
}

fn content_change(was: &InputFile, is: &InputFile) -> Option<String> {
    if is.has_content_of(was) {
        return None;
    }
    Some(format!(
        "{} has SHA-256 {}…, was {}… ({} bytes, was {})",
        is.path,
        is.digest_prefix(),
        was.digest_prefix(),
        is.bytes,
        was.bytes
    ))
}

fn checksum(file: &mut impl Read) -> io::Result<(u64, String)> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        let read = match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(&buffer[..read]);
        bytes += read as u64;
    }
    Ok((bytes, hex(&hasher.finalize())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, bytes: u64, digit: char) -> InputFile {
        InputFile {
            path: path.to_owned(),
            bytes,
            sha256: digit.to_string().repeat(64),
        }
    }

    #[test]
    fn changed_content_is_told_and_a_moved_folder_is_not() {
        let train = file("a/train.json", 3, '1');
        let dev = file("a/dev.json", 4, '2');
        let moved = [file("b/train.json", 3, '1'), file("b/dev.json", 4, '2')];
        let grown = file("b/dev.json", 5, '3');
        let change = "b/dev.json has SHA-256 333333333333…, was 222222222222… (5 bytes, was 4)";
        let earlier = [train.clone(), dev.clone()];
        let cases: [(&[InputFile], Vec<&str>); 7] = [
            (&earlier, vec![]),
            (&moved, vec![]),
            (&[train.clone(), grown.clone()], vec![change]),
            (std::slice::from_ref(&train), vec!["a/dev.json is gone"]),
            (&moved[1..], vec!["a/train.json is gone"]),
            (
                &[train.clone(), dev.clone(), grown.clone()],
                vec!["b/dev.json is new"],
            ),
            (&[], vec!["a/train.json is gone", "a/dev.json is gone"]),
        ];
        for (now, expected) in cases {
            assert_eq!(changed_inputs(&earlier, now), expected, "{now:?}");
        }
    }

    #[test]
    fn every_input_is_matched_once() {
        let train = file("train.json", 3, '1');
        let copy = file("copy.json", 3, '1');
        let other = file("other.json", 3, '4');
        assert_eq!(
            changed_inputs(std::slice::from_ref(&train), &[copy.clone(), train.clone()]),
            ["copy.json is new"]
        );
        assert_eq!(
            changed_inputs(
                &[train.clone(), copy.clone()],
                &[copy, other, train.clone()]
            ),
            ["other.json is new"]
        );
        assert_eq!(
            changed_inputs(&[], &[train.clone(), train]),
            ["train.json is new", "train.json is new"]
        );
    }

    #[test]
    fn a_checksum_that_is_none_does_no_harm() {
        let mut odd = file("train.json", 3, '1');
        odd.sha256 = "äö".to_owned();
        assert_eq!(
            changed_inputs(&[odd], &[file("train.json", 3, '1')]),
            ["train.json has SHA-256 111111111111…, was äö… (3 bytes, was 3)"]
        );
    }
}
