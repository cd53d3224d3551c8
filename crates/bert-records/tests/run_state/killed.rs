//! A run that is killed, whenever that is.
//!
//! The run is this test program, started again for the one test below that does nothing unless it is told where.

use std::{
    env, fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use bert_files::{FileError, FolderLock};

use crate::fixture::{fill, names, open};

const OUTPUT_DIR: &str = "BERT_RECORDS_TEST_OUTPUT_DIR";
const KEEP_LAST: &str = "BERT_RECORDS_TEST_KEEP_LAST";
const PROTECTED: u64 = 1;
/// So that some run states replace one of their step.
const STEPS: u64 = 7;

#[test]
fn a_run_that_writes_until_it_is_killed() {
    let Some(output_dir) = env::var_os(OUTPUT_DIR) else {
        return;
    };
    let keep_last = env::var(KEEP_LAST).expect("it is set with the folder");
    let _lock = FolderLock::acquire(Path::new(&output_dir)).expect("the run before was killed");
    let store = open(
        &Path::new(&output_dir).join("checkpoints"),
        keep_last.parse().expect("a number"),
    );
    for round in 0..u64::MAX {
        let step = round % STEPS + 1;
        store
            .write(step, &[PROTECTED], |folder| fill(folder, step))
            .expect("it is written");
    }
}

fn start(output_dir: &Path, keep_last: usize) -> Child {
    Command::new(env::current_exe().expect("this program has a path"))
        .args(["--exact", "killed::a_run_that_writes_until_it_is_killed"])
        .env(OUTPUT_DIR, output_dir)
        .env(KEEP_LAST, keep_last.to_string())
        .stdout(Stdio::null())
        .spawn()
        .expect("it starts")
}

/// Waits until a run holds the lock, and is named by it.
fn wait_for_lock(output_dir: &Path, run: &Child) {
    let start = Instant::now();
    loop {
        assert!(start.elapsed() < Duration::from_secs(60), "it never starts");
        // Looked for before it is asked for: asking would take it.
        if output_dir.join(".bert-lock").exists()
            && fs::read_to_string(output_dir.join(".bert-lock"))
                .is_ok_and(|pid| pid == format!("{}\n", run.id()))
        {
            break;
        }
        thread::sleep(Duration::from_millis(1));
    }
    match FolderLock::acquire(output_dir) {
        Err(FileError::Locked { pid, .. }) => assert_eq!(pid, Some(run.id())),
        other => panic!("the run holds the lock: {other:?}"),
    }
}

#[test]
fn a_kill_at_any_moment_leaves_whole_run_states_and_no_lock() {
    for keep_last in [1, 3] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let dir = folder.path().join("checkpoints");
        // One exceeds what is kept only where the old one stays until the new one is there.
        let most = if keep_last == 1 { 2 } else { keep_last };
        let mut written = false;
        for kill in 0..12_u64 {
            let mut run = start(folder.path(), keep_last);
            wait_for_lock(folder.path(), &run);
            thread::sleep(Duration::from_micros(
                3_001 + 7_919 * (kill % 4) + 613 * kill,
            ));
            run.kill().expect("it is killed");
            run.wait().expect("it has ended");

            let _lock = FolderLock::acquire(folder.path()).expect("the run has ended");
            let found = if dir.exists() {
                names(&dir)
            } else {
                Vec::new()
            };
            let store = open(&dir, keep_last);
            assert!(names(&dir).iter().all(|name| name.starts_with("step-")));
            let steps = store.steps().expect("it is listed");
            let kept = steps.iter().filter(|step| **step != PROTECTED).count();
            assert!(kept <= most, "{found:?}");
            assert!(!(written && steps.is_empty()), "{found:?}");
            written = !steps.is_empty();
            for step in steps {
                store.verify(step).expect("it is whole");
            }
        }
        assert!(written, "every run was killed before its first run state");
    }
}
