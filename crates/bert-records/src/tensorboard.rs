//! `tensorboard/`: the scalars of a run as TensorBoard's event files.

use std::path::{Path, PathBuf};

use bert_files::{FileError, create_folder};

use crate::{
    RecordError,
    clock::since_1970,
    event_file::{create_file, latest_seconds},
    event_record::{Event, SessionLog, SessionStatus, Summary, SummaryValue, What, framed},
    whole_appends::WholeAppends,
};

/// An event file that grows by whole records. Every record is handed to the operating system when it is logged, as in
/// [`MetricsLog`](crate::MetricsLog); [`EventLog::flush`] makes them survive a crash of the machine.
#[derive(Debug)]
pub struct EventLog {
    path: PathBuf,
    file: WholeAppends,
}

impl EventLog {
    /// Starts a new event file in `dir`, which is made if it is missing. The name is
    /// `events.out.tfevents.<seconds>.<host>.<pid>.<n>`, with `bert` for a host without a name; no file is overwritten.
    ///
    /// The file starts with a session's start at the step after `after_step`, which is the last one of the earlier run
    /// that this one goes on with, or at step 0. By it TensorBoard drops what earlier files in `dir` hold from that step
    /// on, provided that they started with one as well. It reads files in the order of their names, so `<seconds>` is
    /// now or, where the clock was set back or another host's is ahead, later than in every name in `dir`.
    ///
    /// # Errors
    ///
    /// Fails where the folder or the file cannot be made, read or written, and where `after_step` is above what the
    /// format can hold.
    pub fn create(dir: &Path, after_step: Option<u64>) -> Result<Self, RecordError> {
        create_folder(dir)?;
        let latest = latest_seconds(dir).map_err(FileError::read(dir))?;
        let after_latest = latest.map_or(0, |latest| latest.saturating_add(1));
        let (path, file) = create_file(dir, since_1970().as_secs().max(after_latest))?;
        let file = WholeAppends::to(file);
        let mut log = Self { path, file };
        log.write(0, What::FileVersion("brain.Event:2".to_owned()))?;
        // The first start that TensorBoard finds in a folder drops nothing, and so every run writes one.
        let first_step = after_step.map_or(0, |step| step.saturating_add(1));
        let status = SessionStatus::Start.into();
        log.write(first_step, What::SessionLog(SessionLog { status }))?;
        Ok(log)
    }

    /// Logs several scalars at a step. The format holds them in single precision.
    ///
    /// # Errors
    ///
    /// Fails where the record cannot be written and where `step` is above what the format can hold.
    pub fn scalars(&mut self, step: u64, values: &[(&str, f64)]) -> Result<(), RecordError> {
        let value = values
            .iter()
            .map(|(tag, value)| SummaryValue {
                tag: (*tag).to_owned(),
                simple_value: Some(*value as f32),
            })
            .collect();
        self.write(step, What::Summary(Summary { value }))
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

    fn write(&mut self, step: u64, what: What) -> Result<(), RecordError> {
        let event = Event {
            wall_time: since_1970().as_secs_f64(),
            step: i64::try_from(step).map_err(|_| RecordError::Step {
                path: self.path.clone(),
                step,
            })?,
            what: Some(what),
        };
        self.file
            .append(&framed(&event))
            .map_err(FileError::write(&self.path))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{event_file::seconds_of, event_record::tests::events};

    fn names(dir: &Path) -> Vec<String> {
        let entries = bert_files::entries(dir).expect("the folder is there");
        let names = entries.into_iter();
        names
            .map(|(name, _)| name.to_string_lossy().into_owned())
            .collect()
    }

    fn summary(values: &[(&str, f32)]) -> What {
        let value = values
            .iter()
            .map(|(tag, value)| SummaryValue {
                tag: (*tag).to_owned(),
                simple_value: Some(*value),
            })
            .collect();
        What::Summary(Summary { value })
    }

    #[test]
    fn records_are_there_as_soon_as_they_are_logged() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let dir = folder.path().join("out/tensorboard");
        let mut log = EventLog::create(&dir, None).expect("it is made");
        let read = || {
            let [name] = names(&dir).try_into().expect("one file");
            events(&fs::read(dir.join(name)).expect("it is there"))
        };
        let status = SessionStatus::Start.into();
        let mut expected = vec![
            (0, What::FileVersion("brain.Event:2".to_owned())),
            (0, What::SessionLog(SessionLog { status })),
        ];
        for (step, loss) in [(1, 0.1), (300, 0.0), (301, f64::MAX)] {
            log.scalars(step, &[("train/loss", loss), ("learning_rate", 5e-5)])
                .expect("it is logged");
            expected.push((
                i64::try_from(step).expect("a small step"),
                summary(&[("train/loss", loss as f32), ("learning_rate", 5e-5)]),
            ));
            let read = read();
            assert!(read.iter().all(|event| event.wall_time > 1.7e9), "{read:?}");
            let read: Vec<_> = read
                .into_iter()
                .filter_map(|event| Some((event.step, event.what?)))
                .collect();
            assert_eq!(read, expected);
        }
        log.flush().expect("it is synced");
    }

    #[test]
    fn a_later_file_is_read_last_and_says_where_it_starts() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let dir = folder.path();
        // A host whose clock is ahead, and names that are no event file's.
        for other in [
            "events.out.tfevents.9000000000.a.1.0",
            "events.out.tfevents.x.y",
            "events.out.tfevents.9500000000",
            "9600000000",
        ] {
            fs::write(dir.join(other), "").expect("it is written");
        }
        for (after_step, seconds, first_step) in [
            (None, 9_000_000_001_u64, 0),
            (Some(0), 9_000_000_002, 1),
            (Some(41), 9_000_000_003, 42),
        ] {
            EventLog::create(dir, after_step).expect("it is made");
            let name = names(dir)
                .into_iter()
                .find(|name| seconds_of(name) == Some(seconds))
                .expect("a later file");
            let read = events(&fs::read(dir.join(name)).expect("it is there"));
            let [version, start] = read.try_into().expect("two records");
            assert_eq!(
                version.what,
                Some(What::FileVersion("brain.Event:2".to_owned()))
            );
            let status = SessionStatus::Start.into();
            assert_eq!(start.what, Some(What::SessionLog(SessionLog { status })));
            assert_eq!(start.step, first_step);
        }
    }

    #[test]
    fn an_impossible_step_or_place_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let dir = folder.path();
        let mut log = EventLog::create(dir, None).expect("it is made");
        let file = dir.join("file");
        fs::write(&file, "").expect("it is written");
        let most = i64::MAX.unsigned_abs();
        let cases = [
            (
                log.scalars(most + 1, &[]),
                "expected a step up to 9223372036854775807, found 9223372036854775808",
            ),
            (
                EventLog::create(dir, Some(most)).map(drop),
                "found 9223372036854775808",
            ),
            (
                EventLog::create(dir, Some(u64::MAX)).map(drop),
                "found 18446744073709551615",
            ),
            (
                EventLog::create(&file, None).map(drop),
                "cannot create the folder",
            ),
        ];
        for (result, expected) in cases {
            let message = result.expect_err("it is impossible").to_string();
            assert!(message.contains(expected), "{message}");
            assert!(message.starts_with(&dir.display().to_string()), "{message}");
            assert_eq!(message.lines().count(), 1, "{message}");
        }
        log.scalars(most, &[]).expect("the last step there is");
    }
}
