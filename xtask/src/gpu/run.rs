//! One part of a report: a process with a limit, whose output is on disk when it ends.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;

/// How a part ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// With exit code 0.
    Done,
    /// With another one, or by a signal.
    Failed,
    /// Its time was up.
    OutOfTime,
}

impl End {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::OutOfTime => "out of time",
        }
    }
}

/// Runs a command, its output into two files, for at most `limit`.
///
/// # Errors
/// When a file cannot be written, or the program cannot be started.
pub(super) fn run(
    command: &mut Command,
    files: &Path,
    limit: Duration,
) -> anyhow::Result<(End, Duration)> {
    let file = |ending: &str| {
        let path = files.with_extension(ending);
        File::create(&path).with_context(|| format!("{}: cannot be written", path.display()))
    };
    let (out, err) = (file("out")?, file("err")?);
    let started = Instant::now();
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(out.try_clone().context("the output's file")?)
        .stderr(err.try_clone().context("the output's file")?)
        .spawn()
        .with_context(|| format!("{program} could not be started"))?;
    let end = loop {
        if let Some(status) = child.try_wait().context(program.clone())? {
            break if status.success() {
                End::Done
            } else {
                End::Failed
            };
        }
        if started.elapsed() > limit {
            // It may have ended by itself just now.
            let _ = child.kill();
            child.wait().context(program)?;
            break End::OutOfTime;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    // What is measured must outlive the machine it was measured on.
    out.sync_all().context("the output's file")?;
    err.sync_all().context("the output's file")?;
    Ok((end, started.elapsed()))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_ended_when_its_time_is_up_and_its_output_is_kept() {
        let dir = std::env::temp_dir().join(format!("bert-gpu-part-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("it is made");
        let files = dir.join("01-part");
        let shell = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            run(&mut command, &files, Duration::from_millis(300))
                .expect("sh is there")
                .0
        };
        assert_eq!(shell("echo one; exec sleep 60"), End::OutOfTime);
        let kept = std::fs::read_to_string(dir.join("01-part.out")).expect("it is there");
        assert_eq!(kept, "one\n");
        assert_eq!(shell("exit 3"), End::Failed);
        assert_eq!(shell("true"), End::Done);
        std::fs::remove_dir_all(&dir).expect("it is removed");
    }
}
