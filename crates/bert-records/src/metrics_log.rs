//! `metrics.jsonl`: one JSON object a logged step.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use bert_files::FileError;
use serde::Serialize;
use serde_json::Value;

use crate::{RecordError, whole_appends::WholeAppends};

/// A log that grows by whole lines. Every line is handed to the operating system when it is logged, so that a run can
/// be followed and a crash of the process loses none; [`MetricsLog::flush`] makes them survive a crash of the machine.
#[derive(Debug)]
pub struct MetricsLog {
    path: PathBuf,
    file: WholeAppends,
}

impl MetricsLog {
    /// Starts an empty log; an earlier one of that name is overwritten.
    ///
    /// # Errors
    ///
    /// Fails where the file cannot be made.
    pub fn create(path: &Path) -> Result<Self, RecordError> {
        let file = File::create(path).map_err(FileError::write(path))?;
        Ok(Self {
            path: path.to_owned(),
            file: WholeAppends::to(file),
        })
    }

    /// Goes on after `last_step` with an earlier log, or starts one.
    ///
    /// The log is cut at the first line whose `step` is above `last_step`, that is of `last_step` and has the key
    /// `to_come` (what is done anew after that step), that is no JSON, or that an interrupted run
    /// left incomplete. Lines are in the order of their steps, so nothing behind such a line is worth keeping; a line
    /// without a `step` is kept with those before it.
    ///
    /// # Errors
    ///
    /// Fails where the file cannot be opened, read or cut.
    pub fn resume(path: &Path, last_step: u64, to_come: Option<&str>) -> Result<Self, RecordError> {
        let file = open_cut(path, last_step, to_come).map_err(FileError::write(path))?;
        Ok(Self {
            path: path.to_owned(),
            file: WholeAppends::to(file),
        })
    }

    /// Appends one line, or none where it cannot be written whole; the next call and [`MetricsLog::flush`] write it then.
    ///
    /// # Errors
    ///
    /// Fails where the line cannot be written or `record` has no JSON form.
    pub fn log<T: Serialize + ?Sized>(&mut self, record: &T) -> Result<(), RecordError> {
        let mut line = serde_json::to_vec(record).map_err(|source| RecordError::Json {
            path: self.path.clone(),
            source,
        })?;
        line.push(b'\n');
        self.file
            .append(&line)
            .map_err(FileError::write(&self.path))?;
        Ok(())
    }

    /// Makes everything logged so far durable.
    ///
    /// # Errors
    ///
    /// Fails where the file cannot be written or synced.
    pub fn flush(&mut self) -> Result<(), RecordError> {
        self.file.flush().map_err(FileError::write(&self.path))?;
        Ok(())
    }
}

fn open_cut(path: &Path, last_step: u64, to_come: Option<&str>) -> io::Result<File> {
    let file = OpenOptions::new()
        .create(true)
        .read(true)
        .write(true)
        .truncate(false)
        .open(path)?;
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    let mut kept = 0;
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line)?;
        if line.last() != Some(&b'\n') || !belongs_before(&line, last_step, to_come) {
            break;
        }
        kept += length as u64;
    }
    let mut file = reader.into_inner();
    file.set_len(kept)?;
    file.seek(SeekFrom::Start(kept))?;
    Ok(file)
}

/// Whether a line is whole, not of a step above `last_step`, and not of something `to_come` after that step.
fn belongs_before(line: &[u8], last_step: u64, to_come: Option<&str>) -> bool {
    let Ok(record) = serde_json::from_slice::<Value>(line) else {
        return false;
    };
    let is_last = record.get("step").and_then(Value::as_u64) == Some(last_step);
    if is_last && to_come.is_some_and(|key| record.get(key).is_some()) {
        return false;
    }
    match record.get("step") {
        // Not every whole number fits `u64`; one that does must not be rounded.
        Some(Value::Number(step)) => match (step.as_u64(), step.as_f64()) {
            (Some(step), _) => step <= last_step,
            (None, Some(step)) => step <= last_step as f64,
            (None, None) => false,
        },
        _ => true,
    }
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
    fn resuming_drops_what_is_incomplete_or_of_a_later_step() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("metrics.jsonl");
        let cases: [(&[u8], &str); 14] = [
            (b"", ""),
            (b"1\n", "1\n"),
            (b"1\n{\"step", "1\n"),
            (b"{\"st", ""),
            (b"{\"step\":1}\n{\"step\":2}", "{\"step\":1}\n"),
            (
                b"{\"step\":1}\n{\"step\":2}\n",
                "{\"step\":1}\n{\"step\":2}\n",
            ),
            (
                b"{\"step\":2}\n{\"step\":3}\n{\"step\":4}\n{\"st",
                "{\"step\":2}\n",
            ),
            (b"{\"step\":3}\n", ""),
            (b"{\"f1\":1}\n{\"step\":3}\n{\"f1\":2}\n", "{\"f1\":1}\n"),
            (
                b"{\"step\":\"9\"}\n{\"step\":null}\n",
                "{\"step\":\"9\"}\n{\"step\":null}\n",
            ),
            (b"{\"step\":2.0}\n{\"step\":2.5}\n", "{\"step\":2.0}\n"),
            (
                b"{\"step\":-1}\n{\"step\":18446744073709551616}\n",
                "{\"step\":-1}\n",
            ),
            (b"{\"step\":1}\nnot JSON\n{\"step\":2}\n", "{\"step\":1}\n"),
            (b"{\"step\":1}\n\xff\n\n{\"step\":2}\n", "{\"step\":1}\n"),
        ];
        for (before, kept) in cases {
            fs::write(&path, before).expect("it is written");
            let mut log = MetricsLog::resume(&path, 2, None).expect("it is opened");
            log.log(&json!({"step": 3})).expect("it is logged");
            assert_eq!(
                fs::read_to_string(&path).expect("it is there"),
                format!("{kept}{{\"step\":3}}\n"),
                "{}",
                before.escape_ascii()
            );
        }
        fs::remove_file(&path).expect("it is removed");
        MetricsLog::resume(&path, 2, None).expect("a missing log is started");
        assert!(path.exists());
    }

    #[test]
    fn resuming_finds_its_place_in_a_log_longer_than_a_buffer() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("metrics.jsonl");
        let mut log = MetricsLog::create(&path).expect("it is made");
        for step in 1..=2000 {
            log.log(&json!({"step": step, "loss": 0.5}))
                .expect("it is logged");
        }
        MetricsLog::resume(&path, 1234, None).expect("it is opened");
        let text = fs::read_to_string(&path).expect("it is there");
        assert_eq!(text.lines().count(), 1234);
        assert!(text.ends_with("{\"loss\":0.5,\"step\":1234}\n"));
    }

    #[test]
    fn a_log_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for result in [
            MetricsLog::create(folder.path()),
            MetricsLog::resume(folder.path(), 1, None),
        ] {
            let message = result.expect_err("a folder has that name").to_string();
            assert!(
                message.starts_with(&format!("{}: ", folder.path().display())),
                "{message}"
            );
            assert_eq!(message.lines().count(), 1, "{message}");
        }
    }

    #[test]
    fn what_is_done_anew_after_the_last_step_is_dropped() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("metrics.jsonl");
        let step = "{\"step\":2,\"loss\":1}\n";
        let earlier = "{\"step\":1,\"evaluation\":{}}\n";
        let last = "{\"step\":2,\"evaluation\":{}}\n";
        for (to_come, kept) in [
            (Some("evaluation"), format!("{earlier}{step}")),
            (None, format!("{earlier}{step}{last}")),
        ] {
            fs::write(&path, format!("{earlier}{step}{last}")).expect("it is written");
            MetricsLog::resume(&path, 2, to_come).expect("it is opened");
            assert_eq!(fs::read_to_string(&path).expect("it is there"), kept);
        }
    }
}
