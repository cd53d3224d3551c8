//! What can befall a training: full disks, other processes, strange clocks.

use std::fs;
use std::path::Path;
use std::process::Command;

use bert_test_support::{Prerequisite, Workspace, compile_library, copy, repository, skip};

use crate::support::refused;
use crate::training_support::{Processes, ended, error_line, signal, text};

const FLAGS: [&str; 4] = ["--num-train-epochs", "1", "--save-steps", "8"];

#[test]
fn a_second_run_in_one_folder_is_refused_and_the_first_goes_on() {
    let workspace = Workspace::new();
    let flags = ["--num-train-epochs", "20"];
    let first = workspace.start("out", &flags);
    workspace.wait_for_step("out", 3);
    let line = workspace.refuse("out", &flags);
    assert!(line.contains(&format!("process {}", first.id())), "{line}");
    let (data, model) = (workspace.path("data/val.csv"), workspace.path("out"));
    workspace.train("model", &FLAGS);
    let line = refused(&[
        "predict-swag",
        "--model",
        text(&workspace.path("model")),
        "--predict-file",
        text(&data),
        "--output-dir",
        text(&model),
        "--device",
        "cpu",
    ]);
    assert!(line.contains("found another run at work"), "{line}");
    let before = workspace.logged_steps("out").len();
    workspace.wait_for_step("out", before + 2);
    signal(&first, "TERM");
    assert_eq!(ended(first).0, Some(1));
    assert!(!workspace.path("out/.bert-lock").exists());
}

#[test]
fn several_runs_have_one_folder_to_themselves() {
    let workspace = Workspace::new();
    let flags = ["--num-train-epochs", "6", "--seeds", "1,2"];
    let child = workspace.start("out", &flags);
    workspace.wait_for_step("out/seed-2", 3);
    let weights = workspace.path("out/seed-1/model.safetensors");
    let before = fs::metadata(&weights).unwrap().modified().unwrap();
    let overwriting = [&flags[..], &["--overwrite-output-dir"]].concat();
    let line = workspace.refuse("out", &overwriting);
    assert!(line.contains(&format!("process {}", child.id())), "{line}");
    assert_eq!(fs::metadata(&weights).unwrap().modified().unwrap(), before);
    signal(&child, "INT");
    let (code, stderr) = ended(child);
    assert_eq!(code, Some(1), "{stderr}");
}

/// A file-size limit stops the first large file of a checkpoint, as a full disk or a quota would.
#[cfg(unix)]
#[test]
fn a_run_state_that_does_not_fit_ends_the_run_and_leaves_the_one_before() {
    let workspace = Workspace::new();
    let flags = ["--num-train-epochs", "8", "--save-steps", "40"];
    let child = workspace.start("out", &flags);
    workspace.wait_for_step("out", 5);
    signal(&child, "INT");
    ended(child);
    let before = workspace.checkpoints("out");
    assert_eq!(before.len(), 1, "{before:?}");
    let words = workspace.arguments("out", &flags).join("' '");
    // In blocks of 1024 bytes: the weights fit, the moments do not.
    let line = format!(
        "ulimit -f 2000; exec '{}' '{words}'",
        env!("CARGO_BIN_EXE_bert")
    );
    let mut shell = Command::new("bash");
    shell.args(["-c", &line]).current_dir(repository());
    let output = shell.output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    let line = error_line(&stderr);
    assert!(
        line.contains("optimizer.safetensors") && line.contains(&before[0]),
        "{line}"
    );
    assert_eq!(workspace.checkpoints("out"), before);
    let stderr = String::from_utf8(workspace.train("out", &flags).stderr).unwrap();
    assert!(stderr.contains("going on after step"), "{stderr}");
}

/// A real full disk, where this user may mount one.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_ends_the_run_and_leaves_the_last_good_run_state() {
    let workspace = Workspace::new();
    let disk = workspace.path("disk");
    fs::create_dir(&disk).unwrap();
    // One checkpoint is 4.2 MB: the second fits, the third does not while the two are kept.
    let mount = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=11m", "tmpfs", text(&disk)])
        .output();
    if !mount.is_ok_and(|output| output.status.success()) {
        return skip(Prerequisite::Mount, "no file system can be mounted here");
    }
    let _mounted = Mounted(&disk);
    let flags = ["--num-train-epochs", "2", "--save-steps", "5"];
    let output = workspace.command("disk/out", &flags).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    let line = error_line(&stderr);
    assert!(
        line.contains("No space left") && line.contains("step-00000010"),
        "{line}"
    );
    assert_eq!(
        workspace.checkpoints("disk/out"),
        ["step-00000005", "step-00000010"]
    );
    // With room again the same command ends it.
    copy(&disk.join("out"), &workspace.path("out"));
    workspace.train("out", &flags);
    workspace.train("whole", &flags);
    workspace.assert_equal_results("whole", "out");
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_written_is_one_line() {
    let workspace = Workspace::new();
    // Nobody, not even root, can make a folder there.
    let output = workspace.command("/proc/out", &[]).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(error_line(&stderr).contains("/proc/out"), "{stderr}");
    let disk = workspace.path("disk");
    fs::create_dir(&disk).unwrap();
    let mount = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "ro", "tmpfs", text(&disk)])
        .output();
    if !mount.is_ok_and(|output| output.status.success()) {
        return skip(Prerequisite::Mount, "no file system can be mounted here");
    }
    let _mounted = Mounted(&disk);
    let output = workspace.command("disk", &[]).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(error_line(&stderr).contains(text(&disk)), "{stderr}");
}

#[cfg(target_os = "linux")]
struct Mounted<'a>(&'a Path);

#[cfg(target_os = "linux")]
impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0).status();
    }
}

/// The clock of the calendar goes back an hour whenever it is asked; checkpoints by time do not care.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn a_clock_that_goes_backwards_changes_nothing() {
    let workspace = Workspace::new();
    let source = workspace.path("clock.rs");
    fs::write(&source, CLOCK).unwrap();
    let library = compile_library(&source, workspace.dir());
    let flags = ["--num-train-epochs", "8", "--save-minutes", "0.0005"];
    workspace.train("whole", &flags);
    let run = |stop_at: Option<usize>| {
        let mut command = workspace.command("out", &flags);
        command
            .env("LD_PRELOAD", &library)
            .stderr(std::process::Stdio::piped());
        command.stdout(std::process::Stdio::null());
        let mut child = command.spawn().unwrap();
        if let Some(steps) = stop_at {
            workspace.wait_for_step("out", steps);
            child.kill().unwrap();
        }
        ended(child)
    };
    run(Some(40));
    assert!(!workspace.checkpoints("out").is_empty());
    let (code, stderr) = run(None);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains("going on after step"), "{stderr}");
    workspace.assert_equal_results("whole", "out");
    let record = fs::read_to_string(workspace.path("out/run.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    // The clock was really turned: the run ended before it began.
    assert!(
        record["finished"].as_str() < record["created"].as_str(),
        "{record}"
    );
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
const CLOCK: &str = r#"
use std::sync::atomic::{AtomicI64, Ordering};

static ASKED: AtomicI64 = AtomicI64::new(0);

#[repr(C)]
pub struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

unsafe extern "C" {
    fn syscall(number: i64, ...) -> i64;
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn clock_gettime(clock: i32, time: *mut Timespec) -> i32 {
    // 228 is clock_gettime, and 0 CLOCK_REALTIME.
    let result = unsafe { syscall(228, clock as i64, time) } as i32;
    if clock == 0 && result == 0 {
        unsafe { (*time).seconds -= 3600 * ASKED.fetch_add(1, Ordering::Relaxed) };
    }
    result
}
"#;
