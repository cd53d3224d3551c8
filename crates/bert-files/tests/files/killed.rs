//! A process that is killed while it replaces files.
//!
//! The process is this test program, started again for the one test below that does nothing unless it is told where.

use std::{
    collections::BTreeSet,
    env, fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use bert_files::{Replacement, remove_leftovers};

use crate::names;

const DIR: &str = "BERT_FILES_TEST_DIR";
/// The number of the process's first prediction.
const FIRST: &str = "BERT_FILES_TEST_FIRST";
const FILES: [&str; 4] = [
    "eval_results.json",
    "nbest.json",
    "null_odds.json",
    "predictions.json",
];

#[test]
fn a_process_that_replaces_files_until_it_is_killed() {
    let Some(dir) = env::var_os(DIR) else {
        return;
    };
    let first = env::var(FIRST).expect("it is told beside the folder");
    for round in first.parse::<u64>().expect("a number").. {
        let mut files = Replacement::new(Path::new(&dir)).expect("the folder is there");
        files.remove(FILES);
        // Every other prediction has no odds.
        for name in FILES {
            if name != "null_odds.json" || round % 2 == 0 {
                let text = round.to_string();
                files
                    .write(name, |out| out.write_all(text.as_bytes()))
                    .expect("it is staged");
            }
        }
        files.commit().expect("they are replaced");
    }
}

#[test]
fn a_kill_at_any_moment_leaves_files_of_one_prediction() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut seen = BTreeSet::new();
    for kill in 0..12_u64 {
        let first = kill << 32;
        let mut process = Command::new(env::current_exe().expect("this program has a path"))
            .args([
                "--exact",
                "killed::a_process_that_replaces_files_until_it_is_killed",
            ])
            .env(DIR, folder.path())
            .env(FIRST, first.to_string())
            .stdout(Stdio::null())
            .spawn()
            .expect("it starts");
        let start = Instant::now();
        let newest = || {
            fs::read_to_string(folder.path().join("predictions.json"))
                .ok()?
                .parse::<u64>()
                .ok()
        };
        while newest().is_none_or(|round| round < first) {
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "it writes nothing"
            );
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(Duration::from_micros(101 + 2_919 * (kill % 4) + 613 * kill));
        process.kill().expect("it is killed");
        process.wait().expect("it has ended");

        remove_leftovers(folder.path()).expect("it is tidied up");
        let found = names(folder.path());
        assert!(
            found.iter().all(|name| FILES.contains(&name.as_str())),
            "{found:?}"
        );
        let rounds: BTreeSet<u64> = found
            .iter()
            .map(|name| fs::read_to_string(folder.path().join(name)).expect("it is there"))
            .map(|round| round.parse().expect("the file is whole"))
            .collect();
        // A kill between the renames may leave none.
        assert!(
            rounds.len() <= 1,
            "files of several predictions: {rounds:?}"
        );
        seen.extend(rounds);
    }
    assert!(seen.len() > 1, "found no files of most processes: {seen:?}");
}
