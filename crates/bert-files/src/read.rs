//! Files read whole, up to a limit.

use std::{
    fs::{self, File, FileType},
    io::Read,
    path::Path,
};

use crate::{FileError, FileKind};

/// Opens a regular file, or what a link to one leads to.
///
/// A folder, a pipe, a device and a socket are refused: what reads a file twice, once for its checksum, would wait for
/// ever on a pipe and read `/dev/zero` without end. The path is looked at before it is opened, because opening a pipe
/// waits as well.
///
/// # Errors
///
/// Fails where the path leads to nothing or to something else than a regular file, or may not be read.
pub fn open(path: &Path) -> Result<File, FileError> {
    let refuse_others = |file_type: FileType| {
        if file_type.is_file() {
            return Ok(());
        }
        Err(FileError::NotAFile {
            path: path.to_owned(),
            found: kind_of(file_type),
        })
    };
    let metadata = fs::metadata(path).map_err(FileError::read(path))?;
    refuse_others(metadata.file_type())?;
    let file = File::open(path).map_err(FileError::read(path))?;
    // The path may lead elsewhere by now.
    let metadata = file.metadata().map_err(FileError::read(path))?;
    refuse_others(metadata.file_type())?;
    Ok(file)
}

/// Reads a regular file of up to `limit` bytes.
///
/// # Errors
///
/// Fails as [`open`] does, where the file is larger, and where it cannot be read.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    read_from(open(path)?, path, limit)
}

/// Reads up to `limit` bytes of anything that can be opened, also of a pipe or a device: for what is read only once.
///
/// # Errors
///
/// Fails where there is more to read, and where the path cannot be opened or read.
pub fn read_once(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    let file = File::open(path).map_err(FileError::read(path))?;
    read_from(file, path, limit)
}

fn read_from(file: File, path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    let size = file.metadata().map_err(FileError::read(path))?.len();
    let too_large = |found| FileError::TooLarge {
        path: path.to_owned(),
        found,
        limit,
    };
    if size > limit {
        return Err(too_large(size));
    }
    // One more byte than the limit shows that there are more: a file may grow, and some tell no size.
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    file.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(FileError::read(path))?;
    let found = bytes.len() as u64;
    if found > limit {
        return Err(too_large(found));
    }
    Ok(bytes)
}

/// As [`read`]; `None` where the path leads to nothing.
///
/// # Errors
///
/// Those of [`read`], but for a file that is not there.
pub fn read_if_present(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, FileError> {
    match read(path, limit) {
        Err(error) if error.is_missing() => Ok(None),
        other => other.map(Some),
    }
}

/// Reads a UTF-8 file of up to `limit` bytes, without its byte order mark.
///
/// # Errors
///
/// Fails as [`read`] and [`decode`] do.
pub fn read_text(path: &Path, limit: u64) -> Result<String, FileError> {
    let bytes = read(path, limit)?;
    let skipped = bytes.len() - decode(path, &bytes)?.len();
    let mut text = String::from_utf8(bytes).expect("`decode` has checked the bytes");
    text.drain(..skipped);
    Ok(text)
}

/// Checks that a file's bytes are UTF-8 and leaves out a byte order mark; `name` is the file's name in errors.
///
/// # Errors
///
/// Fails at the first byte that is not UTF-8.
pub fn decode<'a>(name: &Path, bytes: &'a [u8]) -> Result<&'a str, FileError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let offset = error.valid_up_to();
        let lines = bytes[..offset].iter().filter(|&&byte| byte == b'\n');
        FileError::NotUtf8 {
            path: name.to_owned(),
            offset,
            line: 1 + lines.count(),
            // `from_utf8` fails at a byte, the last one at the latest.
            found: bytes[offset],
        }
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// What a path leads to, where it is no regular file.
pub(crate) fn kind_of(file_type: FileType) -> FileKind {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;

        if file_type.is_fifo() {
            return FileKind::Pipe;
        }
        if file_type.is_char_device() || file_type.is_block_device() {
            return FileKind::Device;
        }
        if file_type.is_socket() {
            return FileKind::Socket;
        }
    }
    if file_type.is_dir() {
        FileKind::Directory
    } else {
        FileKind::Other
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message<T: std::fmt::Debug>(result: Result<T, FileError>) -> String {
        let message = result.expect_err("it cannot be read").to_string();
        assert_eq!(message.lines().count(), 1, "{message}");
        message
    }

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.txt");
        fs::write(&path, "\u{feff}abc").expect("it is written");
        assert_eq!(read(&path, 6).expect("it fits"), "\u{feff}abc".as_bytes());
        assert_eq!(read_text(&path, 6).expect("it fits"), "abc");
        assert_eq!(
            message(read_text(&path, 5)),
            format!(
                "{}: found 6 bytes or more, expected at most 5",
                path.display()
            )
        );
        let missing = folder.path().join("none");
        assert!(read_if_present(&missing, 5).expect("none").is_none());
        assert_eq!(
            message(read(&missing, 5)),
            format!("{}: no such file", missing.display())
        );
        assert_eq!(
            message(read_if_present(folder.path(), 5)),
            format!(
                "{}: found a directory, expected a file",
                folder.path().display()
            )
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_without_a_size_has_a_limit_too() {
        let path = Path::new("/proc/self/status");
        assert!(!read(path, 1 << 20).expect("it is small").is_empty());
        assert!(message(read(path, 3)).contains("found 4 bytes or more, expected at most 3"));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_read_once_may_be_a_device_and_has_a_limit() {
        let zero = Path::new("/dev/zero");
        assert!(message(read_once(zero, 9)).contains("found 10 bytes or more, expected at most 9"));
        assert_eq!(read_once(Path::new("/dev/null"), 9).expect("empty"), b"");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let in_a_folder = message(read_once(folder.path(), 1 << 20));
        assert!(
            in_a_folder.contains("found a directory, expected a file"),
            "{in_a_folder}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn what_cannot_be_read_twice_is_refused_at_once() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.expect("mkfifo runs").success());
        let expected = "expected a regular file, which can be read twice: save the content in one";
        assert_eq!(
            message(read(&pipe, 1 << 20)),
            format!("{}: found a pipe, {expected}", pipe.display())
        );
        assert_eq!(
            message(read(Path::new("/dev/zero"), 1 << 20)),
            format!("/dev/zero: found a device, {expected}")
        );
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("it is bound");
        assert!(message(read(&socket, 1 << 20)).contains("found a socket"));
    }

    proptest! {
        #[test]
        fn a_wrong_byte_is_named_with_its_place(
            lines in prop::collection::vec("[a-zé]{0,9}", 1..6),
            at in any::<prop::sample::Index>(),
        ) {
            let text = lines.join("\n");
            let mut bytes = text.clone().into_bytes();
            let at = at.index(bytes.len() + 1);
            prop_assume!(text.is_char_boundary(at));
            bytes.insert(at, 0xff);
            let line = 1 + text[..at].matches('\n').count();
            prop_assert_eq!(
                message(decode(Path::new("x"), &bytes)),
                format!("x: byte {at} (line {line}): found 0xff, expected UTF-8 text")
            );
        }
    }
}
