//! What must hold whatever is read.

use std::fmt::{Debug, Display};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use tempfile::TempDir;

/// The longest line that says what is wrong, in characters.
const LONGEST_LINE: usize = 2000;

/// The time that the processor has worked for this process.
pub(crate) fn processor_time() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the call writes to the place that it is given, which outlives it.
    let code = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    assert_eq!(code, 0, "every Unix has this clock");
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).expect("it is below a second"),
    )
}

/// What was read, or `None` after checking what is said instead: one line, not long, that names the file.
pub(crate) fn read<T, E: Display>(result: Result<T, E>, name: &str) -> Option<T> {
    result.map_err(|error| check_line(&error, name)).ok()
}

/// Checks that an error is one line, not long, that names the file.
pub(crate) fn check_line(error: &impl Display, name: &str) {
    let line = error.to_string();
    assert!(!line.contains(char::is_control), "not one line: {line:?}");
    assert!(line.contains(name), "does not name {name}: {line}");
    let length = line.chars().count();
    assert!(
        (10..=LONGEST_LINE).contains(&length),
        "{length} characters: {line}"
    );
}

/// Checks that something written reads back as it was.
pub(crate) fn same<T: PartialEq + Debug>(back: &T, written: &T) {
    assert!(back == written, "written {written:?}\nread    {back:?}");
}

/// A folder for files that are read by their path; in memory where the system has such a place.
pub(crate) fn folder() -> &'static Path {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    FOLDER
        .get_or_init(|| {
            let made = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
            made.expect("there is a folder for temporary files")
        })
        .path()
}

/// A file with these bytes.
pub(crate) fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder().join(name);
    fs::write(&path, bytes).expect("the folder for temporary files has room");
    path
}

/// The first byte as one of so many choices, and the rest; digits choose by their value.
pub(crate) fn choice(data: &[u8], among: usize) -> (usize, &[u8]) {
    match data.split_first() {
        Some((first, rest)) => (usize::from(first.wrapping_sub(b'0')) % among, rest),
        None => (0, data),
    }
}
