//! The hashes by which a file is known.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::HubError;
use crate::files::read_error;

/// A file's hash, in lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Digest {
    /// Of the bytes.
    Sha256(Cow<'static, str>),
    /// Of the bytes.
    Md5(Cow<'static, str>),
    /// Of `blob`, the size, a zero and the bytes: git's name of a file's content.
    GitSha1(Cow<'static, str>),
}

/// A hash that is not the one expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mismatch {
    pub(crate) algorithm: &'static str,
    pub(crate) found: String,
    pub(crate) expected: String,
}

impl Digest {
    /// What a hub's etag says of the content: that of a large file is its SHA-256, that of another git's SHA-1.
    pub(crate) fn of_etag(etag: &str) -> Option<Self> {
        let is_hex = etag
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        match etag.len() {
            64 if is_hex => Some(Self::Sha256(etag.to_owned().into())),
            40 if is_hex => Some(Self::GitSha1(etag.to_owned().into())),
            _ => None,
        }
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Self::Sha256(_) => "SHA-256",
            Self::Md5(_) => "MD5",
            Self::GitSha1(_) => "git's SHA-1",
        }
    }

    fn expected(&self) -> &str {
        match self {
            Self::Sha256(hash) | Self::Md5(hash) | Self::GitSha1(hash) => hash,
        }
    }
}

enum Hasher {
    Sha256(Sha256),
    Md5(Md5),
    Sha1(Sha1),
}

impl Hasher {
    fn new(digest: &Digest, size: u64) -> Self {
        match digest {
            Digest::Sha256(_) => Self::Sha256(Sha256::new()),
            Digest::Md5(_) => Self::Md5(Md5::new()),
            Digest::GitSha1(_) => {
                Self::Sha1(Sha1::new_with_prefix(format!("blob {size}\0").as_bytes()))
            }
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Md5(hasher) => hasher.update(bytes),
            Self::Sha1(hasher) => hasher.update(bytes),
        }
    }

    fn finish(self) -> String {
        match self {
            Self::Sha256(hasher) => hexadecimal(&hasher.finalize()),
            Self::Md5(hasher) => hexadecimal(&hasher.finalize()),
            Self::Sha1(hasher) => hexadecimal(&hasher.finalize()),
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Hashes a file as it lies on the disk, and tells the first hash that is not as expected.
pub(crate) fn check(path: &Path, digests: &[Digest]) -> Result<Option<Mismatch>, HubError> {
    if digests.is_empty() {
        return Ok(None);
    }
    let hashes = hash(path, digests)?;
    Ok(digests
        .iter()
        .zip(hashes)
        .find(|(digest, found)| digest.expected() != found)
        .map(|(digest, found)| Mismatch {
            algorithm: digest.algorithm(),
            found,
            expected: digest.expected().to_owned(),
        }))
}

/// A file's SHA-256.
pub(crate) fn sha256(path: &Path) -> Result<String, HubError> {
    let hashes = hash(path, &[Digest::Sha256("".into())])?;
    Ok(hashes.into_iter().next().unwrap_or_default())
}

/// A text's SHA-256.
pub(crate) fn sha256_of(text: &str) -> String {
    hexadecimal(&Sha256::digest(text.as_bytes()))
}

fn hash(path: &Path, digests: &[Digest]) -> Result<Vec<String>, HubError> {
    let error = |source| read_error(path, source);
    let mut file = File::open(path).map_err(error)?;
    let size = file.metadata().map_err(error)?.len();
    let mut hashers: Vec<Hasher> = digests.iter().map(|it| Hasher::new(it, size)).collect();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer).map_err(error)?;
        if read == 0 {
            return Ok(hashers.into_iter().map(Hasher::finish).collect());
        }
        for hasher in &mut hashers {
            hasher.update(&buffer[..read]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf 'hello\n'` through sha256sum, md5sum and git hash-object.
    const HELLO: [Digest; 3] = [
        Digest::Sha256(Cow::Borrowed(
            "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03",
        )),
        Digest::Md5(Cow::Borrowed("b1946ac92492d2347c6235b4d2611184")),
        Digest::GitSha1(Cow::Borrowed("ce013625030ba8dba906f756967f9e9ca394464a")),
    ];

    #[test]
    fn hashes_are_those_of_the_usual_tools() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("hello");
        std::fs::write(&path, "hello\n").expect("it is written");
        assert_eq!(check(&path, &HELLO).expect("it is read"), None);
        std::fs::write(&path, "hellO\n").expect("it is written");
        for digest in HELLO {
            let mismatch = check(&path, std::slice::from_ref(&digest))
                .expect("it is read")
                .expect("it is another");
            assert_eq!(mismatch.expected, digest.expected());
            assert_eq!(mismatch.found.len(), mismatch.expected.len());
        }
    }

    #[test]
    fn only_whole_hashes_are_recognised_in_etags() {
        for digest in [&HELLO[0], &HELLO[2]] {
            assert_eq!(Digest::of_etag(digest.expected()).as_ref(), Some(digest));
        }
        for etag in ["", "abc", &"g".repeat(40), &"A".repeat(64), &"a".repeat(41)] {
            assert_eq!(Digest::of_etag(etag), None);
        }
    }
}
