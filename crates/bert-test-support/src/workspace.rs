//! A training small enough to be stopped, damaged and resumed many times: its data, and what its runs leave.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::repository;

/// A temporary folder with the folder `data` in it, and runs beside that one: twelve examples to train on, six to score
/// and five to predict.
pub struct Workspace {
    dir: TempDir,
}

impl Workspace {
    /// A workspace without a run.
    ///
    /// # Panics
    ///
    /// Panics where it cannot be written.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "a default does not touch the disk"
    )]
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap_or_else(|error| panic!("no folder: {error}"));
        small_swag(&dir.path().join("data"));
        Self { dir }
    }

    /// Its folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The path of a run, or of a file in it.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The steps of a run's metrics log, in its order; a last line that is not whole is left out.
    #[must_use]
    pub fn logged_steps(&self, out: &str) -> Vec<u64> {
        let lines = fs::read_to_string(self.path(out).join("metrics.jsonl")).unwrap_or_default();
        let lines = lines
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let steps = lines.filter(|line| line.get("loss").is_some());
        steps.filter_map(|line| line["step"].as_u64()).collect()
    }

    /// The names in the folder of a run's checkpoints.
    #[must_use]
    pub fn checkpoints(&self, out: &str) -> Vec<String> {
        names(&self.path(out).join("checkpoints"))
    }

    /// What must be equal at the end of equal runs: weights, predictions and scores, but for the time they took.
    ///
    /// # Panics
    ///
    /// Panics where one of the files is missing.
    #[must_use]
    pub fn results(&self, out: &str) -> Vec<(&'static str, Vec<u8>)> {
        let read = |file| read(&self.path(out).join(file));
        let mut scores = json(&self.path(out).join("eval_results.json"));
        scores["train_seconds"].take();
        vec![
            ("model.safetensors", read("model.safetensors")),
            ("predictions.jsonl", read("predictions.jsonl")),
            ("eval_results.json", scores.to_string().into_bytes()),
            ("metrics.jsonl", self.losses(out).into_bytes()),
        ]
    }

    /// The metrics log without what depends on the machine and its clock.
    fn losses(&self, out: &str) -> String {
        let path = self.path(out).join("metrics.jsonl");
        let text = String::from_utf8_lossy(&read(&path)).into_owned();
        let lines = text.lines().map(|line| {
            let mut line = parse(line.as_bytes(), &path);
            if let Some(object) = line.as_object_mut() {
                object.retain(|key, _| !key.ends_with("_per_second") && !key.ends_with("_bytes"));
            }
            format!("{line}\n")
        });
        lines.collect()
    }

    /// Checks that two runs ended with the same bits.
    ///
    /// # Panics
    ///
    /// Panics where they did not.
    #[track_caller]
    pub fn assert_equal_results(&self, one: &str, other: &str) {
        for ((file, one), (_, other)) in self.results(one).into_iter().zip(self.results(other)) {
            assert!(one == other, "{file} differs");
        }
    }

    /// Makes a finished run one that was killed before its very last write, to `run.json`.
    ///
    /// # Panics
    ///
    /// Panics where the run is not finished.
    pub fn unfinish(&self, out: &str) {
        let path = self.path(out).join("run.json");
        let mut record = json(&path);
        assert_eq!(record["status"], "finished");
        record["status"] = "unfinished".into();
        if let Some(record) = record.as_object_mut() {
            record.remove("finished");
            record.remove("summary");
        }
        write(&path, record.to_string().as_bytes());
    }
}

/// Makes a folder with the first rows of the bundled SWAG files.
///
/// # Panics
///
/// Panics where it cannot be written.
pub fn small_swag(dir: &Path) {
    fs::create_dir_all(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    for (name, count) in [("train.csv", 12), ("val.csv", 6), ("test.csv", 5)] {
        let text = read(&repository().join("data/demo/swag").join(name));
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines: Vec<&str> = text.lines().take(1 + count).collect();
        write(&dir.join(name), (lines.join("\n") + "\n").as_bytes());
    }
}

/// The names in a folder, sorted; none where there is no folder.
///
/// # Panics
///
/// Panics where a name is not UTF-8.
#[must_use]
pub fn names(dir: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .map(|entry| {
            let entry = entry.unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
            let name = entry.file_name().into_string();
            name.unwrap_or_else(|name| panic!("{name:?} is not UTF-8"))
        })
        .collect();
    names.sort();
    names
}

/// Copies a folder and the files in it to another place.
///
/// # Panics
///
/// Panics where a file cannot be copied.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap_or_else(|error| panic!("{}: {error}", to.display()));
    for name in names(from) {
        let (from, to) = (from.join(&name), to.join(&name));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
        }
    }
}

/// A file of JSON.
///
/// # Panics
///
/// Panics where it is none.
#[must_use]
pub fn json(path: &Path) -> Value {
    parse(&read(path), path)
}

fn parse(text: &[u8], path: &Path) -> Value {
    serde_json::from_slice(text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn write(path: &Path, content: &[u8]) {
    fs::write(path, content).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
