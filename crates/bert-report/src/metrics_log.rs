//! `metrics.jsonl`: one JSON object a logged step.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use serde::Serialize;

use crate::ReportError;

/// A log that grows by whole lines. Every line is handed to the operating system when it is logged, so that a run can
/// be followed and a crash of the process loses none; [`MetricsLog::flush`] makes them survive a crash of the machine.
#[derive(Debug)]
pub struct MetricsLog {
    path: PathBuf,
    file: File,
}

impl MetricsLog {
    /// Starts an empty log; an earlier one of that name is overwritten.
    ///
    /// # Errors
    ///
    /// Fails where the file cannot be made.
    pub fn create(path: &Path) -> Result<Self, ReportError> {
        let file = File::create(path).map_err(|source| write_error(path, source))?;
        Ok(Self {
            path: path.to_owned(),
            file,
        })
    }

    /// Goes on with an earlier log, or starts one. A last line that an interrupted run left incomplete is dropped.
    ///
    /// # Errors
    ///
    /// Fails where the file cannot be opened, read or cut.
    pub fn append(path: &Path) -> Result<Self, ReportError> {
        open_at_last_line_end(path)
            .map(|file| Self {
                path: path.to_owned(),
                file,
            })
            .map_err(|source| write_error(path, source))
    }

    /// Appends one line.
    ///
    /// # Errors
    ///
    /// Fails where the line cannot be written or `record` has no JSON form.
    pub fn log<T: Serialize + ?Sized>(&mut self, record: &T) -> Result<(), ReportError> {
        let mut line = serde_json::to_vec(record).map_err(|source| ReportError::Json {
            path: self.path.clone(),
            source,
        })?;
        line.push(b'\n');
        self.file
            .write_all(&line)
            .map_err(|source| write_error(&self.path, source))
    }

    /// Makes everything logged so far durable.
    ///
    /// # Errors
    ///
    /// Fails where the file cannot be synced.
    pub fn flush(&mut self) -> Result<(), ReportError> {
        self.file
            .sync_data()
            .map_err(|source| write_error(&self.path, source))
    }
}

fn write_error(path: &Path, source: io::Error) -> ReportError {
    ReportError::Write {
        path: path.to_owned(),
        source,
    }
}

fn open_at_last_line_end(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new()
        .create(true)
        .read(true)
        .write(true)
        .truncate(false)
        .open(path)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let complete = bytes
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    file.set_len(complete as u64)?;
    file.seek(SeekFrom::End(0))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;

    #[test]
    fn lines_are_there_as_soon_as_they_are_logged() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("metrics.jsonl");
        let mut log = MetricsLog::create(&path).expect("it is made");
        for step in 1..=2 {
            log.log(&json!({"step": step, "loss": 0.5}))
                .expect("it is logged");
            let text = fs::read_to_string(&path).expect("it is there");
            assert_eq!(text.lines().count(), step);
            assert!(text.ends_with(&format!("{{\"loss\":0.5,\"step\":{step}}}\n")));
        }
        log.flush().expect("it is synced");
        MetricsLog::create(&path).expect("it is made");
        assert_eq!(fs::read_to_string(&path).expect("it is there"), "");
    }

    #[test]
    fn appending_drops_an_incomplete_line() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("metrics.jsonl");
        for (before, after) in [
            ("", "2\n"),
            ("1\n", "1\n2\n"),
            ("1\n{\"step", "1\n2\n"),
            ("{\"st", "2\n"),
        ] {
            fs::write(&path, before).expect("it is written");
            let mut log = MetricsLog::append(&path).expect("it is opened");
            log.log(&2).expect("it is logged");
            assert_eq!(
                fs::read_to_string(&path).expect("it is there"),
                after,
                "{before:?}"
            );
        }
        fs::remove_file(&path).expect("it is removed");
        MetricsLog::append(&path).expect("a missing log is started");
        assert!(path.exists());
    }

    #[test]
    fn a_log_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for result in [
            MetricsLog::create(folder.path()),
            MetricsLog::append(folder.path()),
        ] {
            let message = result.expect_err("a folder has that name").to_string();
            assert!(
                message.starts_with(&format!(
                    "{}: cannot write the file: ",
                    folder.path().display()
                )),
                "{message}"
            );
            assert_eq!(message.lines().count(), 1, "{message}");
        }
    }
}
