//! The names of TensorBoard's event files.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process,
};

use bert_files::FileError;

use crate::RecordError;

const NAME_START: &str = "events.out.tfevents.";

/// Makes the event file of that second with the first number that is free.
pub(crate) fn create_file(dir: &Path, seconds: u64) -> Result<(PathBuf, File), RecordError> {
    let (host, pid) = (host(), process::id());
    let mut n = 0_u64;
    loop {
        // Ten digits as in TensorBoard's own names, which keeps their order that of time.
        let path = dir.join(format!("{NAME_START}{seconds:010}.{host}.{pid}.{n}"));
        match File::create_new(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => n += 1,
            Err(source) => return Err(FileError::write(&path)(source).into()),
        }
    }
}

/// The latest second in the names of the event files in `dir`.
pub(crate) fn latest_seconds(dir: &Path) -> io::Result<Option<u64>> {
    let mut latest = None;
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name();
        latest = latest.max(name.to_str().and_then(seconds_of));
    }
    Ok(latest)
}

/// The second in the name of an event file; `None` for any other name.
pub(crate) fn seconds_of(name: &str) -> Option<u64> {
    let (seconds, _) = name.strip_prefix(NAME_START)?.split_once('.')?;
    seconds.parse().ok()
}

/// The host's name where Linux or the environment tells it and it can be part of a file's name.
fn host() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok())
        .or_else(|| std::env::var("COMPUTERNAME").ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| is_file_name_part(name))
        .unwrap_or_else(|| "bert".to_owned())
}

fn is_file_name_part(name: &str) -> bool {
    // 64 bytes: the longest name that Linux knows.
    (1..=64).contains(&name.len())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn no_file_is_overwritten() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let start = format!("events.out.tfevents.0000000007.{}.", host());
        for n in 0..3 {
            let (path, mut file) = create_file(folder.path(), 7).expect("it is made");
            let name = path.file_name().expect("a file").to_string_lossy();
            assert_eq!(name, format!("{start}{}.{n}", process::id()));
            file.write_all(b"x").expect("it is written");
        }
        for entry in fs::read_dir(folder.path()).expect("the folder is there") {
            let path = entry.expect("an entry").path();
            assert_eq!(fs::read(&path).expect("it is there"), b"x", "{path:?}");
        }
    }

    #[test]
    fn a_host_fits_into_a_file_name() {
        for name in ["node-1.example.org", "a_b"] {
            assert!(is_file_name_part(name), "{name}");
        }
        for name in ["", "a/b", "a b", "é", &"a".repeat(65)] {
            assert!(!is_file_name_part(name), "{name}");
        }
        assert!(is_file_name_part(&host()));
    }
}
