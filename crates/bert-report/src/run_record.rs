//! `run.json`: what a run was, written before its first step.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{ReportError, write_json};

/// Everything needed to tell two runs apart, or to repeat one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunRecord<C: Serialize> {
    /// Version of the program.
    pub version: String,
    /// When the record was made: RFC 3339, UTC, whole seconds.
    pub created: String,
    /// The seed that every random choice follows from.
    pub seed: u64,
    /// The resolved settings, defaults included.
    pub settings: C,
    /// The files the run reads.
    pub inputs: Vec<InputFile>,
}

/// An input file and what it held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InputFile {
    /// The path as the run was given it; text that is not Unicode is replaced.
    pub path: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of the content, 64 lower-case hexadecimal digits.
    pub sha256: String,
}

impl<C: Serialize> RunRecord<C> {
    /// Records a run that starts now; reads `inputs` for their checksums.
    ///
    /// # Errors
    ///
    /// Fails where an input cannot be read.
    pub fn new(
        version: &str,
        seed: u64,
        settings: C,
        inputs: &[&Path],
    ) -> Result<Self, ReportError> {
        let inputs = inputs
            .iter()
            .map(|path| InputFile::read(path))
            .collect::<Result<_, _>>()?;
        // A clock before 1970 is wrong anyway; the record is not worth stopping the run for it.
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        Ok(Self {
            version: version.to_owned(),
            created: rfc3339(since_epoch.as_secs()),
            seed,
            settings,
            inputs,
        })
    }

    /// Writes `run.json` into `dir`, atomically.
    ///
    /// # Errors
    ///
    /// Fails where the file cannot be written.
    pub fn write(&self, dir: &Path) -> Result<(), ReportError> {
        write_json(&dir.join("run.json"), self)
    }
}

impl InputFile {
    /// Reads a file once, without holding it in memory.
    ///
    /// # Errors
    ///
    /// Fails where the file cannot be read.
    pub fn read(path: &Path) -> Result<Self, ReportError> {
        let (bytes, sha256) = checksum(path).map_err(|source| ReportError::Read {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.display().to_string(),
            bytes,
            sha256,
        })
    }
}

fn checksum(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
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
    let digits = hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok((bytes, digits))
}

/// Seconds since 1970 as a UTC date and time, in the proleptic Gregorian calendar.
fn rfc3339(seconds: u64) -> String {
    let (mut days, time) = (seconds / 86_400, seconds % 86_400);
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970;
    loop {
        let length = if is_leap(year) { 366 } else { 365 };
        if days < length {
            break;
        }
        days -= length;
        year += 1;
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let (day, hour, minute, second) = (days + 1, time / 3600, time / 60 % 60, time % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;

    #[test]
    fn dates() {
        // Expected values: date --utc --date=@SECONDS.
        let cases = [
            (0, "1970-01-01T00:00:00Z"),
            (68_169_599, "1972-02-28T23:59:59Z"),
            (68_169_600, "1972-02-29T00:00:00Z"),
            (946_684_799, "1999-12-31T23:59:59Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_541_030_400, "2018-11-01T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(rfc3339(seconds), expected, "{seconds}");
        }
    }

    #[test]
    fn a_record_names_its_inputs() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().join("data.json");
        fs::write(&data, "abc").expect("it is written");
        let record = RunRecord::new("0.1.0", 42, json!({"epochs": 3.0}), &[&data])
            .expect("the input is there");
        record.write(folder.path()).expect("it is written");
        let text = fs::read_to_string(folder.path().join("run.json")).expect("it is there");
        let back: serde_json::Value = serde_json::from_str(&text).expect("it parses");
        assert_eq!(
            back,
            json!({
                "version": "0.1.0",
                "created": record.created,
                "seed": 42,
                "settings": {"epochs": 3.0},
                "inputs": [{
                    "path": data.display().to_string(),
                    "bytes": 3,
                    // FIPS 180-2, B.1.
                    "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                }],
            })
        );
        assert!(record.created.as_str() > "2025-01-01T00:00:00Z");
        assert_eq!(record.created.len(), "1970-01-01T00:00:00Z".len());
    }

    #[test]
    fn a_missing_input_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for path in [folder.path().join("missing"), folder.path().to_owned()] {
            let message = RunRecord::new("0.1.0", 1, (), &[&path])
                .expect_err("there is no such file")
                .to_string();
            assert!(
                message.starts_with(&format!("{}: cannot read the file: ", path.display())),
                "{message}"
            );
        }
    }
}
