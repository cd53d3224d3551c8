//! The TSV files of a zip archive.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use zip::ZipArchive;
use zip::result::ZipError;

use crate::HubError;
use crate::files::{read_error, write_error, write_whole};

/// The most bytes that an archive may unpack to; MNLI, the largest, has a third of it in all.
const MOST_BYTES: u64 = 4 << 30;

/// Unpacks the TSV files that are at the top of an archive or in a folder there, and gives their names, sorted.
pub(super) fn unpack(archive: &Path, folder: &Path) -> Result<Vec<String>, HubError> {
    unpack_at_most(archive, folder, MOST_BYTES)
}

fn unpack_at_most(archive: &Path, folder: &Path, most: u64) -> Result<Vec<String>, HubError> {
    let zip_error = |source| HubError::Archive {
        path: archive.to_owned(),
        source,
    };
    let member = |found, expected| HubError::Member {
        path: archive.to_owned(),
        found,
        expected,
    };
    let file = File::open(archive).map_err(|source| read_error(archive, source))?;
    let mut zip = ZipArchive::new(BufReader::new(file)).map_err(zip_error)?;
    let mut left = most;
    let mut names: Vec<String> = Vec::new();
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).map_err(zip_error)?;
        let path = entry.name().map_err(zip_error)?.into_owned();
        let Some(name) = wanted(&path) else { continue };
        if names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            let found = format!("{name:?} twice");
            return Err(member(found, "each TSV file once"));
        }
        let size = entry.size();
        if size > left {
            let found = format!("{name:?} of {size} bytes");
            return Err(member(found, "4 GiB in all at most"));
        }
        left -= size;
        let target = folder.join(name);
        write_whole(&target, |file| {
            // One byte more than is declared shows that there is more.
            let mut bytes = entry.by_ref().take(size + 1);
            let copied = copy(&mut bytes, file).map_err(|error| match error {
                CopyError::Read(source) => zip_error(ZipError::Io(source)),
                CopyError::Write(source) => write_error(&target, source),
            })?;
            if copied == size {
                Ok(())
            } else {
                let found = format!("{name:?} of other than its {size} bytes");
                Err(member(found, "the size that the archive states"))
            }
        })?;
        names.push(name.to_owned());
    }
    if names.is_empty() {
        return Err(member("no TSV file".to_owned(), "train.tsv and others"));
    }
    names.sort();
    Ok(names)
}

/// The name of a member that is wanted: a TSV file not deeper than one folder. Only this name is ever written to, so a
/// member's path cannot lead out of the folder.
fn wanted(path: &str) -> Option<&str> {
    let mut parts = path.rsplit('/');
    let name = parts.next()?;
    let folders: Vec<&str> = parts.collect();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let is_deep = folders.len() > 1
        || folders
            .iter()
            .any(|it| matches!(*it, "original" | "__MACOSX"));
    (!is_deep && name.ends_with(".tsv") && !name.starts_with('.') && name.bytes().all(is_plain))
        .then_some(name)
}

enum CopyError {
    Read(io::Error),
    Write(io::Error),
}

/// As [`io::copy`], but tells apart which side failed.
fn copy(from: &mut dyn Read, to: &mut File) -> Result<u64, CopyError> {
    use std::io::Write;

    let mut buffer = vec![0; 1 << 16];
    let mut copied = 0;
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return Ok(copied),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(CopyError::Read(error)),
        };
        to.write_all(&buffer[..read]).map_err(CopyError::Write)?;
        copied += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn archive(folder: &Path, members: &[(&str, &str)]) -> std::path::PathBuf {
        let path = folder.join("a.zip");
        let mut zip = ZipWriter::new(File::create(&path).expect("it is made"));
        for (name, text) in members {
            zip.start_file(*name, SimpleFileOptions::default())
                .expect("it is begun");
            zip.write_all(text.as_bytes()).expect("it is written");
        }
        zip.finish().expect("it is ended");
        path
    }

    #[test]
    fn only_the_tasks_own_files_are_unpacked() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let target = folder.path().join("out");
        fs::create_dir(&target).expect("it is made");
        let path = archive(
            folder.path(),
            &[
                ("X/train.tsv", "a"),
                ("dev.tsv", "b"),
                ("X/original/test.tsv", "c"),
                ("original/test.tsv", "c"),
                ("__MACOSX/train2.tsv", "d"),
                ("X/._train.tsv", "d"),
                ("X/readme.txt", "e"),
                ("../../evil.tsv", "f"),
                ("/abs.tsv/../x.tsv", "f"),
                ("X/a\\b.tsv", "f"),
            ],
        );
        let names = unpack(&path, &target).expect("it is unpacked");
        assert_eq!(names, ["dev.tsv", "train.tsv"]);
        assert_eq!(fs::read_dir(&target).expect("it is there").count(), 2);
        assert_eq!(
            fs::read_to_string(target.join("train.tsv")).expect("it is there"),
            "a"
        );
        assert_eq!(fs::read_dir(folder.path()).expect("it is there").count(), 2);
    }

    #[test]
    fn a_member_is_never_written_outside() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let target = folder.path().join("out");
        fs::create_dir(&target).expect("it is made");
        let path = archive(folder.path(), &[("../up.tsv", "f"), ("/root.tsv", "g")]);
        let names = unpack(&path, &target).expect("it is unpacked");
        assert_eq!(names, ["root.tsv", "up.tsv"]);
        assert!(target.join("up.tsv").exists() && !folder.path().join("up.tsv").exists());
    }

    #[test]
    fn an_archive_of_something_else_is_refused_and_leaves_nothing_half() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let target = folder.path().join("out");
        fs::create_dir(&target).expect("it is made");
        for (members, message) in [
            (&[("X/readme.txt", "a")][..], "found no TSV file"),
            (&[("X/a.tsv", "a"), ("Y/A.tsv", "b")], "\"A.tsv\" twice"),
            (&[("X/b.tsv", "more than eight")], "\"b.tsv\" of 15 bytes"),
            (
                &[("X/c.tsv", "12345"), ("d.tsv", "1234")],
                "\"d.tsv\" of 4 bytes",
            ),
        ] {
            let path = archive(folder.path(), members);
            let error = unpack_at_most(&path, &target, 8).expect_err(message);
            assert!(error.to_string().contains(message), "{error}");
        }
        assert!(!target.join("b.tsv").exists());
    }

    #[test]
    fn a_damaged_archive_is_refused_wherever_a_byte_is_wrong_or_missing() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let target = folder.path().join("out");
        fs::create_dir(&target).expect("it is made");
        let text = "a row\tof text\n".repeat(50);
        let path = archive(folder.path(), &[("X/train.tsv", &text)]);
        let whole = fs::read(&path).expect("it is there");
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).expect("it is written");
            unpack(&path, &target).expect_err("it is cut");
        }
        for place in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[place] ^= 0x41;
            fs::write(&path, bytes).expect("it is written");
            // Some bytes, dates for instance, mean nothing here.
            if let Ok(names) = unpack(&path, &target) {
                for name in names {
                    assert_eq!(
                        fs::read_to_string(target.join(name)).expect("it is there"),
                        text
                    );
                }
            }
        }
        let left: Vec<_> = fs::read_dir(&target)
            .expect("it is there")
            .flatten()
            .collect();
        assert!(
            left.iter()
                .all(|it| !it.file_name().to_string_lossy().contains("tmp")),
            "{left:?}"
        );
    }
}
