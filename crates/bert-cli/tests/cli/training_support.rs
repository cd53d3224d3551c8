//! Small trainings as processes of their own.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use bert_test_support::{Workspace, repository};

use crate::support::refused;

/// Trainings of a workspace: one step an example, twelve an epoch.
pub(crate) trait Processes {
    /// The words of a training into the folder `out`; `flags` come last.
    fn arguments(&self, out: &str, flags: &[&str]) -> Vec<String>;

    /// Waits until something is so.
    fn wait_for(&self, done: impl Fn(&Self) -> bool);

    /// Waits until a training has logged a number of steps.
    fn wait_for_step(&self, out: &str, steps: usize);

    /// A training into the folder `out`; `flags` come last.
    fn command(&self, out: &str, flags: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bert"));
        command
            .args(self.arguments(out, flags))
            .current_dir(repository());
        command
    }

    /// Starts a training and does not wait for it.
    fn start(&self, out: &str, flags: &[&str]) -> Child {
        let mut command = self.command(out, flags);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// Trains to the end.
    fn train(&self, out: &str, flags: &[&str]) -> Output {
        let output = self.command(out, flags).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{stderr}");
        output
    }

    /// Runs a training that must be refused, and returns its one line.
    fn refuse(&self, out: &str, flags: &[&str]) -> String {
        let arguments = self.arguments(out, flags);
        refused(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

impl Processes for Workspace {
    fn arguments(&self, out: &str, flags: &[&str]) -> Vec<String> {
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

    fn wait_for(&self, done: impl Fn(&Self) -> bool) {
        let started = Instant::now();
        while !done(self) {
            assert!(
                started.elapsed() < Duration::from_secs(400),
                "it never came"
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn wait_for_step(&self, out: &str, steps: usize) {
        self.wait_for(|workspace| workspace.logged_steps(out).len() >= steps);
    }
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
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
#[cfg(unix)]
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
