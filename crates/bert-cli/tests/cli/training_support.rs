//! A training small enough to be stopped, damaged and resumed many times.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::repository;
use crate::swag::small_data;

/// A folder with data, and runs on them: one step an example, twelve an epoch.
pub(crate) struct Workspace {
    pub(crate) dir: TempDir,
}

impl Workspace {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("data")).unwrap();
        small_data(&dir.path().join("data"));
        Self { dir }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A training into the folder `out`; `flags` come last.
    pub(crate) fn command(&self, out: &str, flags: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bert"));
        command
            .args(self.arguments(out, flags))
            .current_dir(repository());
        command
    }

    pub(crate) fn arguments(&self, out: &str, flags: &[&str]) -> Vec<String> {
        let own = [
            "train-swag",
            "--bert-model",
            "data/demo/bert-small",
            "--from-scratch",
            "--train-batch-size",
            "1",
            "--max-seq-length",
            "40",
            "--device",
            "cpu",
        ];
        let (data, out) = (self.path("data"), self.path(out));
        let paths = ["--data-dir", text(&data), "--output-dir", text(&out)];
        let all = own.iter().chain(&paths).chain(flags);
        all.map(|word| (*word).to_owned()).collect()
    }

    /// Starts a training and does not wait for it.
    pub(crate) fn start(&self, out: &str, flags: &[&str]) -> Child {
        let mut command = self.command(out, flags);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// Trains to the end.
    pub(crate) fn train(&self, out: &str, flags: &[&str]) -> Output {
        let output = self.command(out, flags).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{stderr}");
        output
    }

    /// The steps of the metrics log, in its order; a last line that is not whole is left out.
    pub(crate) fn logged_steps(&self, out: &str) -> Vec<u64> {
        let lines = fs::read_to_string(self.path(out).join("metrics.jsonl")).unwrap_or_default();
        let lines = lines
            .lines()
            .filter_map(|l| serde_json::from_str::<Value>(l).ok());
        let steps = lines.filter(|line| line.get("loss").is_some());
        steps.filter_map(|line| line["step"].as_u64()).collect()
    }

    /// Waits until a training has logged `steps` steps.
    pub(crate) fn wait_for_step(&self, out: &str, steps: usize) {
        self.wait_for(|workspace| workspace.logged_steps(out).len() >= steps);
    }

    pub(crate) fn wait_for(&self, done: impl Fn(&Self) -> bool) {
        let started = Instant::now();
        while !done(self) {
            assert!(
                started.elapsed() < Duration::from_secs(120),
                "it never came"
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// What must be equal at the end of equal runs: weights, predictions and scores, but for the time they took.
    pub(crate) fn results(&self, out: &str) -> Vec<(&'static str, Vec<u8>)> {
        let read = |file| fs::read(self.path(out).join(file)).unwrap();
        let mut scores: Value = serde_json::from_slice(&read("eval_results.json")).unwrap();
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
        let text = fs::read_to_string(self.path(out).join("metrics.jsonl")).unwrap();
        let lines = text.lines().map(|line| {
            let mut line: Value = serde_json::from_str(line).unwrap();
            let object = line.as_object_mut().unwrap();
            object.retain(|key, _| !key.ends_with("_per_second") && !key.ends_with("_bytes"));
            format!("{line}\n")
        });
        lines.collect()
    }

    pub(crate) fn assert_equal_results(&self, one: &str, other: &str) {
        for ((file, one), (_, other)) in self.results(one).into_iter().zip(self.results(other)) {
            assert!(one == other, "{file} differs");
        }
    }

    /// The names of the folder's checkpoints.
    pub(crate) fn checkpoints(&self, out: &str) -> Vec<String> {
        names(&self.path(out).join("checkpoints"))
    }

    /// Makes a finished run one that was killed before its very last write, to `run.json`.
    pub(crate) fn unfinish(&self, out: &str) {
        let path = self.path(out).join("run.json");
        let mut record: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert_eq!(record["status"], "finished");
        record["status"] = "unfinished".into();
        record.as_object_mut().unwrap().remove("finished");
        record.as_object_mut().unwrap().remove("summary");
        fs::write(path, record.to_string()).unwrap();
    }
}

pub(crate) fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).map(|entries| {
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    });
    let mut names: Vec<String> = entries.unwrap_or_default();
    names.sort();
    names
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A folder and the files in it, in another place.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for name in names(from) {
        let (from, to) = (from.join(&name), to.join(&name));
        if from.is_dir() {
            copy(&from, &to)
        } else {
            fs::copy(from, to).unwrap();
        }
    }
}

/// Sends a signal by its name.
#[cfg(unix)]
pub(crate) fn signal(child: &Child, name: &str) {
    let kill = Command::new("kill")
        .args([&format!("-{name}"), &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
}

/// Waits for a process; its exit code, `None` where a signal ended it, and its stderr.
pub(crate) fn ended(child: Child) -> (Option<i32>, String) {
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), stderr)
}

/// The one line that starts with `error: `.
pub(crate) fn error_line(stderr: &str) -> &str {
    let mut lines = stderr.lines().filter(|line| line.starts_with("error: "));
    let line = lines.next().unwrap_or_else(|| panic!("no error: {stderr}"));
    assert!(lines.next().is_none(), "{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
    line
}
