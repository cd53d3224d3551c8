//! `run.json`: what a run is, written before its first step and again after its last.

use std::path::{Path, PathBuf};

use bert_files::JsonFault;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{InputFile, RecordError, clock::now_rfc3339, hex::hex, write_json};

const FILE_NAME: &str = "run.json";
/// The most bytes of a record that are read. A run's are a few thousand.
const LIMIT: u64 = 64 << 20;

/// Everything needed to tell two runs apart, or to repeat one.
///
/// What is written is read back as it was, but for a summary that is null: that reads as none.
///
/// `S` is what the settings are: a program's own type, or any JSON for a reader that shows records of every program.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord<S = Value> {
    /// Version of the program.
    pub version: String,
    /// When the record was made: RFC 3339, UTC, whole seconds.
    pub created: String,
    /// How far the run came. A record without it is from a program that left no run to go on with.
    #[serde(default = "finished")]
    pub status: RunStatus,
    /// When the run ended: RFC 3339, UTC, whole seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<String>,
    /// The seed that every random choice follows from.
    pub seed: u64,
    /// The resolved settings, defaults included.
    pub settings: S,
    /// The files the run reads.
    pub inputs: Vec<InputFile>,
    /// What the run came to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Value>,
}

/// How far a run came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Still running, or interrupted.
    Unfinished,
    /// Everything it was to do is done.
    Finished,
}

fn finished() -> RunStatus {
    RunStatus::Finished
}

impl<S> RunRecord<S> {
    /// Records an unfinished run that starts now.
    #[must_use]
    pub fn new(version: &str, seed: u64, settings: S, inputs: Vec<InputFile>) -> Self {
        Self {
            version: version.to_owned(),
            created: now_rfc3339(),
            status: RunStatus::Unfinished,
            finished: None,
            seed,
            settings,
            inputs,
            summary: None,
        }
    }

    /// Records that the run ends now, and what it came to.
    pub fn finish(&mut self, summary: Value) {
        self.status = RunStatus::Finished;
        self.finished = Some(now_rfc3339());
        self.summary = Some(summary);
    }

    /// The record with its settings as JSON.
    ///
    /// # Errors
    ///
    /// Fails where the settings have no JSON form.
    pub fn into_json(self) -> Result<RunRecord, RecordError>
    where
        S: Serialize,
    {
        let settings =
            serde_json::to_value(&self.settings).map_err(|source| RecordError::Json {
                path: PathBuf::from(FILE_NAME),
                source,
            })?;
        Ok(RunRecord {
            version: self.version,
            created: self.created,
            status: self.status,
            finished: self.finished,
            seed: self.seed,
            settings,
            inputs: self.inputs,
            summary: self.summary,
        })
    }

    /// Writes `run.json` into `dir`, atomically.
    ///
    /// # Errors
    ///
    /// Fails where the file cannot be written or the settings have no JSON form.
    pub fn write(&self, dir: &Path) -> Result<(), RecordError>
    where
        S: Serialize,
    {
        write_json(dir, FILE_NAME, self)
    }

    /// Reads `run.json` of `dir`; `None` where there is none.
    ///
    /// # Errors
    ///
    /// Fails where the file cannot be read or is no record of a run with such settings.
    pub fn read(dir: &Path) -> Result<Option<Self>, RecordError>
    where
        S: DeserializeOwned,
    {
        let path = dir.join(FILE_NAME);
        let Some(json) = bert_files::read_if_present(&path, LIMIT)? else {
            return Ok(None);
        };
        serde_json::from_slice(&json)
            .map(Some)
            .map_err(|error| RecordError::Parse {
                path,
                source: JsonFault::from(error),
            })
    }
}

impl RunRecord {
    /// What the run is: SHA-256 of its seed, its settings but for those `ignored` (as in
    /// [`differences`](crate::differences)), and the contents of its inputs. Equal for runs that differ in nothing
    /// else, wherever and whenever they are.
    pub fn identity(&self, ignored: &[&str]) -> String {
        let mut settings = self.settings.clone();
        for key in ignored {
            remove(&mut settings, key);
        }
        let inputs: Vec<&str> = self
            .inputs
            .iter()
            .map(|input| input.sha256.as_str())
            .collect();
        // Keys are in alphabetical order: equal settings have one text.
        let text = serde_json::json!([self.seed, settings, inputs]).to_string();
        hex(&Sha256::digest(text.as_bytes()))
    }
}

/// Removes a dotted key and everything below it.
fn remove(value: &mut Value, key: &str) {
    let Some(object) = value.as_object_mut() else {
        return;
    };
    match key.split_once('.') {
        None => {
            object.remove(key);
        }
        Some((first, rest)) => {
            if let Some(below) = object.get_mut(first) {
                remove(below, rest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs};

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::to_python_json;

    #[test]
    fn a_record_names_its_inputs() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().join("data.json");
        fs::write(&data, "abc").expect("it is written");
        let inputs = vec![InputFile::read(&data).expect("the input is there")];
        let mut record = RunRecord::new("0.1.0", 42, json!({"epochs": 3.0}), inputs);
        let written = |record: &RunRecord| {
            record.write(folder.path()).expect("it is written");
            fs::read_to_string(folder.path().join("run.json")).expect("it is there")
        };
        let parsed = |text: &str| serde_json::from_str::<Value>(text).expect("it parses");
        let mut expected = json!({
            "version": "0.1.0",
            "created": record.created,
            "status": "unfinished",
            "seed": 42,
            "settings": {"epochs": 3.0},
            "inputs": [{
                "path": data.display().to_string(),
                "bytes": 3,
                // FIPS 180-2, B.1.
                "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            }],
        });
        assert_eq!(parsed(&written(&record)), expected);
        assert!(record.created.as_str() > "2025-01-01T00:00:00Z");
        assert_eq!(record.created.len(), "1970-01-01T00:00:00Z".len());

        record.finish(json!({"f1": 88.5}));
        let text = written(&record);
        expected["status"] = json!("finished");
        expected["finished"] = json!(record.finished);
        expected["summary"] = json!({"f1": 88.5});
        assert_eq!(parsed(&text), expected);
        assert!(record.finished >= Some(record.created));
        let keys: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("    \"")?.split('"').next())
            .collect();
        assert_eq!(
            keys,
            [
                "version", "created", "status", "finished", "seed", "settings", "inputs", "summary"
            ]
        );
    }

    #[test]
    fn a_record_reads_back_as_it_was_written() {
        #[derive(Serialize)]
        struct Settings {
            learning_rate: f64,
            dropout: f32,
            largest: u64,
            least: i64,
            whole: f64,
            tiny: f64,
            not_a_number: f64,
            text: &'static str,
            list: [Option<f32>; 2],
            inner: BTreeMap<&'static str, f64>,
        }
        let settings = Settings {
            learning_rate: 5e-5,
            dropout: 0.1,
            largest: u64::MAX,
            least: i64::MIN,
            whole: 1e22,
            tiny: 5e-324,
            not_a_number: f64::NAN,
            text: "\"\\\n\t\u{0}\u{7f}é東😀/",
            list: [None, Some(f32::MIN_POSITIVE)],
            inner: BTreeMap::from([("é \"key\"\n", 1.0 / 3.0)]),
        };
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut record = RunRecord::new("0.1.0", u64::MAX, &settings, Vec::new())
            .into_json()
            .expect("the settings have a form");
        for _ in 0..2 {
            record.write(folder.path()).expect("it is written");
            let back = RunRecord::read(folder.path()).expect("it is read");
            assert_eq!(back.as_ref(), Some(&record));
            record.finish(json!({"loss": 0.1}));
        }
    }

    #[test]
    fn settings_may_be_a_programs_own_type() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Settings {
            epochs: f64,
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let record = RunRecord::new("0.1.0", 1, Settings { epochs: 3.0 }, Vec::new());
        record.write(folder.path()).expect("it is written");
        let back = RunRecord::<Settings>::read(folder.path()).expect("it is read");
        assert_eq!(back.as_ref(), Some(&record));
        let any = RunRecord::<Value>::read(folder.path()).expect("it is read");
        assert_eq!(any, Some(record.into_json().expect("it has a form")));
        let other = RunRecord::<u64>::read(folder.path()).expect_err("settings are no number");
        assert!(
            other.to_string().contains("expected u64 at line"),
            "{other}"
        );
    }

    #[test]
    fn a_long_value_is_cut_in_an_error() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let json = format!(
            r#"{{"version": "", "created": "", "seed": "{}"}}"#,
            "x".repeat(1 << 20)
        );
        fs::write(folder.path().join("run.json"), json).expect("it is written");
        let message = RunRecord::<Value>::read(folder.path())
            .expect_err("a text is no seed")
            .to_string();
        assert!(message.len() < 1000, "{} bytes", message.len());
        assert!(
            message.contains("xxx…, expected u64 at line 1 column 1048617"),
            "{message}"
        );
    }

    #[test]
    fn a_record_of_an_older_program_is_of_a_finished_run() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let old = r#"{"version": "0.1.0", "created": "2025-01-01T00:00:00Z", "seed": 1, "settings": {}, "inputs": []}"#;
        fs::write(folder.path().join("run.json"), old).expect("it is written");
        let record: Option<RunRecord> = RunRecord::read(folder.path()).expect("it is read");
        let record = record.expect("it is there");
        assert_eq!(record.status, RunStatus::Finished);
        assert_eq!((record.finished, record.summary), (None, None));
    }

    #[test]
    fn no_record_is_none_and_a_damaged_one_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let read = || RunRecord::<Value>::read(folder.path());
        assert_eq!(read().expect("none"), None);
        let path = folder.path().join("run.json");
        for damaged in [
            "",
            "{\"version\": \"0.1",
            "{}",
            "[]",
            r#"{"version": "", "created": "", "status": "odd", "seed": 1, "settings": 1, "inputs": []}"#,
            r#"{"version": "", "created": "", "seed": -1, "settings": 1, "inputs": []}"#,
        ] {
            fs::write(&path, damaged).expect("it is written");
            let error = read().expect_err("it is no record");
            let message = error.to_string();
            assert!(
                message.starts_with(&format!(
                    "{}: cannot be read as a run's record: ",
                    path.display()
                )),
                "{message}"
            );
            assert_eq!(message.lines().count(), 1, "{message}");
        }
        fs::remove_file(&path).expect("it is removed");
        fs::create_dir(&path).expect("it is made");
        let error = read().expect_err("a folder has that name");
        assert_eq!(
            error.to_string(),
            format!("{}: found a directory, expected a file", path.display())
        );
    }

    #[test]
    fn an_identity_is_of_settings_seed_and_contents() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        fs::write(&a, "same").expect("it is written");
        fs::write(&b, "same").expect("it is written");
        let identity = |seed, settings: Value, path: &Path| {
            let inputs = vec![InputFile::read(path).expect("the input is there")];
            let record = RunRecord::new("1", seed, settings, inputs);
            record.identity(&["out", "prediction.batch"])
        };
        let settings = json!({"out": 1, "prediction": {"batch": 8, "n": 20}});
        let first = identity(1, settings.clone(), &a);
        assert_eq!(first.len(), 64);
        assert_eq!(first, identity(1, settings.clone(), &b));
        let ignored = json!({"out": 2, "prediction": {"batch": 9, "n": 20}});
        assert_eq!(first, identity(1, ignored, &a));
        assert_ne!(first, identity(2, settings.clone(), &a));
        let other = json!({"out": 1, "prediction": {"batch": 8, "n": 21}});
        assert_ne!(first, identity(1, other, &a));
        fs::write(&b, "other").expect("it is written");
        assert_ne!(first, identity(1, settings, &b));
    }

    #[test]
    fn a_missing_input_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (path, reason) in [
            (folder.path().join("missing"), "no such file"),
            (
                folder.path().to_owned(),
                "found a directory, expected a file",
            ),
        ] {
            let message = InputFile::read(&path)
                .expect_err("no such file")
                .to_string();
            assert_eq!(message, format!("{}: {reason}", path.display()));
        }
    }

    fn json_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(|bits| Value::from(f64::from_bits(bits))),
            any::<u32>().prop_map(|bits| Value::from(f32::from_bits(bits))),
            ".*".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(".*", inner, 0..6)
                    .prop_map(|fields| fields.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn settings_survive_the_round_trip(settings in json_value()) {
            let record = RunRecord::new("", 0, settings, Vec::new());
            let json = to_python_json(&record).expect("it serialises");
            let back: RunRecord = serde_json::from_str(&json).expect("it parses");
            prop_assert_eq!(back, record);
        }
    }
}
