//! Every fault in every phase of every task, through the program as users start it: nothing is lost, nothing is half
//! written, the exit code is right, and the same command goes on and ends with the same bits.
//!
//! A run without a fault lists its calls on files; a fault then strikes at one of them, chosen by number, so that all
//! phases are met. `BERT_FAULT_ROUNDS=10` makes each cell be met ten times, and prints the table of
//! `docs/reliability.md`; without it each fault strikes twice, at phases that follow each other.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(clippy::unwrap_used, reason = "a test ends by panicking")]

mod hub;
mod job;
mod tree;

use std::collections::BTreeMap;
use std::panic::catch_unwind;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use bert_test_support::{compile_library, repository};

use job::{Bench, Job, Outcome};

/// What is done to a run: its name, the calls that it strikes, and what it is to the library.
struct Fault {
    name: &'static str,
    calls: &'static str,
    what: &'static str,
}

const FAULTS: [Fault; 12] = [
    Fault {
        name: "kill -9",
        calls: "any",
        what: "KILL",
    },
    Fault {
        name: "SIGTERM",
        calls: "any",
        what: "TERM",
    },
    Fault {
        name: "ENOSPC",
        calls: "create,write,mkdir",
        what: "ENOSPC",
    },
    Fault {
        name: "EIO, write",
        calls: "write",
        what: "EIO",
    },
    Fault {
        name: "EIO, fsync",
        calls: "fsync",
        what: "EIO",
    },
    Fault {
        name: "EIO, rename",
        calls: "rename",
        what: "EIO",
    },
    Fault {
        name: "EIO, read",
        calls: "read",
        what: "EIO",
    },
    Fault {
        name: "EMFILE",
        calls: "open,create,list",
        what: "EMFILE",
    },
    Fault {
        name: "no more threads",
        calls: "thread",
        what: "EAGAIN",
    },
    Fault {
        name: "read-only remount",
        calls: "create,write,rename,mkdir,unlink",
        what: "EROFS",
    },
    Fault {
        name: "clock a day back",
        calls: "any",
        what: "CLOCK",
    },
    Fault {
        name: "slow disk",
        calls: "create,fsync,rename",
        what: "SLOW",
    },
];

/// Memory that cannot be had: limits of a process's addresses instead of a call that fails.
const OUT_OF_MEMORY: &str = "ulimit -v";

/// In the place of a phase: the run ended before the call that was to be struck.
const NOT_STRUCK: &str = "not struck";

/// Runs that one fault befell, by fault, task and phase.
type Table = BTreeMap<(usize, &'static str, &'static str), usize>;

/// A run to make: the fault and the number of the call, or the limit in MiB of the last row.
struct Case<'a> {
    row: usize,
    job: &'a Job<'a>,
    phase: &'static str,
    number: usize,
}

impl Fault {
    fn strikes(&self, call: &str) -> bool {
        self.calls == "any" || self.calls.split(',').any(|name| name == call)
    }
}

/// The cases of a job: `rounds` calls of each phase, evenly spread, for each fault.
fn cases<'a>(job: &'a Job<'a>, rounds: usize) -> Vec<Case<'a>> {
    let mut cases = Vec::new();
    for (row, fault) in FAULTS.iter().enumerate() {
        let mut by_phase: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        let struck = job.calls().iter().filter(|(call, _)| fault.strikes(call));
        for (at, (_, phase)) in struck.enumerate() {
            by_phase.entry(phase).or_default().push(at + 1);
        }
        for (phase, numbers) in by_phase {
            let taken = rounds.min(numbers.len());
            let chosen = (0..taken).map(|nth| numbers[(2 * nth + 1) * numbers.len() / (2 * taken)]);
            cases.extend(chosen.map(|number| Case {
                row,
                job,
                phase,
                number,
            }));
            // A phase with fewer calls than rounds meets each of them again.
            let again = numbers.iter().cycle().take(rounds - taken);
            cases.extend(again.map(|&number| Case {
                row,
                job,
                phase,
                number,
            }));
        }
    }
    let limits = job.memory_limits(rounds * 4);
    cases.extend(limits.into_iter().map(|number| Case {
        row: FAULTS.len(),
        job,
        phase: "",
        number,
    }));
    cases
}

/// Makes the case's run, then the same command without a fault; the phase in which the fault struck.
fn survive(case: &Case<'_>, place: usize) -> &'static str {
    let fault = FAULTS.get(case.row);
    let run = case.job.run_in(place);
    let (outcome, calls) = match fault {
        Some(fault) => run.with_fault(&format!("{}:{}:{}", fault.calls, case.number, fault.what)),
        None => run.with_memory(case.number),
    };
    let context = format!(
        "{} of {}, {} {} ({}), {:?}\n{}",
        fault.map_or(OUT_OF_MEMORY, |fault| fault.name),
        case.job.name(),
        if fault.is_some() { "call" } else { "MiB" },
        case.number,
        case.phase,
        outcome.code,
        outcome.stderr
    );
    let phase = match fault {
        // How many calls a run makes depends on its threads, by a few.
        Some(_) => case
            .job
            .phase_struck(&calls, case.phase)
            .unwrap_or(NOT_STRUCK),
        None if outcome.code == Some(0) => "enough",
        None => case.job.phase_of_last(&calls),
    };
    if phase == NOT_STRUCK {
        assert_eq!(outcome.code, Some(0), "{context}");
    } else {
        check_end(fault, case.phase, &outcome, &context);
    }
    tree::check_whole(&run.out(), &context);
    if outcome.code != Some(0) {
        let again = run.again();
        assert_eq!(
            again.code,
            Some(0),
            "the same command does not go on: {}\nafter {context}",
            again.stderr
        );
    }
    case.job.check_results(&run.out(), &context);
    // Where the disk turned read-only at the very end, nothing could be removed.
    if outcome.code != Some(0) || fault.is_none_or(|fault| fault.what != "EROFS") {
        tree::check_clean(&run.out(), &context);
    }
    run.remove();
    phase
}

/// The exit code is one that the fault may have, and an error is one line.
fn check_end(fault: Option<&Fault>, phase: &str, outcome: &Outcome, context: &str) {
    assert!(!outcome.stderr.contains("panicked"), "{context}");
    let errors = outcome
        .stderr
        .lines()
        .filter(|line| line.starts_with("error: "))
        .count();
    let what = fault.map_or("", |fault| fault.what);
    match (what, outcome.code) {
        ("KILL", code) => assert_eq!(code, None, "{context}"),
        // Where nothing is to be saved, SIGTERM ends a process as it does any.
        ("TERM", None) => assert!(
            ["load", "first step", "prediction", "download"].contains(&phase),
            "{context}"
        ),
        ("CLOCK" | "SLOW", code) => assert_eq!((code, errors), (Some(0), 0), "{context}"),
        (_, Some(0)) => assert_eq!(errors, 0, "{context}"),
        (_, code) => assert!(matches!(code, Some(1 | 2)) && errors == 1, "{context}"),
    }
}

#[test]
fn every_fault_in_every_phase_costs_nothing() {
    let rounds = std::env::var("BERT_FAULT_ROUNDS")
        .ok()
        .map(|text| text.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let bench = Bench {
        dir: dir.path().to_owned(),
        library: compile_library(
            &repository().join("crates/bert-cli/tests/fault_matrix/library.rs"),
            dir.path(),
        ),
        hub: hub::start(dir.path()),
    };
    let jobs = job::all(&bench, rounds.is_some());
    let mut cases: Vec<Case<'_>> = jobs
        .iter()
        .flat_map(|job| cases(job, rounds.unwrap_or(1)))
        .collect();
    if rounds.is_none() {
        // Two of each fault, of jobs and phases in turn.
        let rows: BTreeMap<usize, Vec<Case<'_>>> =
            cases.into_iter().fold(BTreeMap::new(), |mut rows, case| {
                rows.entry(case.row).or_insert_with(Vec::new).push(case);
                rows
            });
        cases = rows
            .into_iter()
            .flat_map(|(row, mut cases)| {
                let half = cases.len() / 2;
                let first = cases.swap_remove(row % half);
                let second = cases.swap_remove(half + row % (half - 1));
                [first, second]
            })
            .collect();
    }
    let next = AtomicUsize::new(0);
    let table: Mutex<Table> = Mutex::new(BTreeMap::new());
    let failures = AtomicUsize::new(0);
    let work = || {
        loop {
            let place = next.fetch_add(1, Ordering::SeqCst);
            let Some(case) = cases.get(place) else { return };
            // A case that fails is said at once; the others are met all the same.
            match catch_unwind(|| survive(case, place)) {
                Ok(phase) => {
                    let mut table = table.lock().unwrap();
                    *table.entry((case.row, case.job.task, phase)).or_default() += 1;
                }
                Err(_) => {
                    failures.fetch_add(1, Ordering::SeqCst);
                }
            }
        }
    };
    let workers = std::thread::available_parallelism().unwrap().get();
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(work);
        }
    });
    let table = table.into_inner().unwrap();
    print(&table);
    assert!(10 * missed(&table) < cases.len(), "too few faults struck");
    let failures = failures.into_inner();
    assert_eq!(failures, 0, "of {} runs", cases.len());
}

/// Runs that ended before the call that was to be struck.
fn missed(table: &Table) -> usize {
    let missed = table
        .iter()
        .filter(|((_, _, phase), _)| *phase == NOT_STRUCK);
    missed.map(|(_, count)| count).sum()
}

/// The table in Markdown: runs by task, `squad / swag / glue`, of each fault and phase.
fn print(table: &Table) {
    let tasks = ["squad", "swag", "glue"];
    let count = |row: usize, phase: &str| {
        let counts: Vec<usize> = tasks
            .iter()
            .map(|task| {
                let met = table.iter().filter(|((at, name, in_phase), _)| {
                    (*at, *name, *in_phase) == (row, *task, phase)
                });
                met.map(|(_, count)| count).sum()
            })
            .collect();
        if counts.iter().sum::<usize>() == 0 {
            return "–".to_owned();
        }
        counts
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" / ")
    };
    println!("| fault | {} |", job::PHASES.join(" | "));
    println!("| --- |{}", " --- |".repeat(job::PHASES.len()));
    let names = FAULTS.iter().map(|fault| fault.name).chain([OUT_OF_MEMORY]);
    for (row, name) in names.enumerate() {
        let cells: Vec<String> = job::PHASES.iter().map(|phase| count(row, phase)).collect();
        println!("| {name} | {} |", cells.join(" | "));
    }
    let missed = missed(table);
    let all: usize = table.values().sum();
    println!("{all} runs in all, {missed} of which ended before the call");
}
