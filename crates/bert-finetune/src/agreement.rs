//! Whether the processes that are to work together have the same program, settings, data and time.

use std::path::Path;
use std::time::{Duration, SystemTime};

use bert_records::{InputFile, differences};
use bert_training::TrainError;
use bert_training::collective::Collective;
use serde_json::{Value, json};
use sysinfo::System;

use crate::FinetuneError;

/// Settings that each process may have for itself.
const OWN: [&str; 2] = ["machine", "settings.compute.device"];

/// How far clocks may be apart. Files and logs of one run have times of several machines.
const CLOCKS: Duration = Duration::from_secs(60);

/// Refuses processes that would not do the same work: with other programs, settings, or contents of input files, or with
/// clocks that are far apart.
///
/// # Errors
/// [`FinetuneError::Processes`] in every process, with the first that differs from the leading one, and how.
pub fn check_agreement(
    collective: &dyn Collective,
    settings: &Value,
    inputs: &[InputFile],
) -> Result<(), FinetuneError> {
    if collective.size() == 1 {
        return Ok(());
    }
    let program = std::env::current_exe().map_err(FinetuneError::io(
        Path::new("/proc/self/exe"),
        "cannot be found",
    ))?;
    let contents = inputs
        .iter()
        .map(|file| (file.path.clone(), json!(file.sha256)));
    let own = json!({
        "machine": System::host_name(),
        "version": env!("CARGO_PKG_VERSION"),
        "program": InputFile::read(&program)?.sha256,
        "settings": settings,
        "data": contents.collect::<serde_json::Map<_, _>>(),
    });
    let bytes = serde_json::to_vec(&own).map_err(FinetuneError::Json)?;
    let all = collective.gather(bytes).map_err(TrainError::from)?;
    let read = all.iter().map(|bytes| serde_json::from_slice(bytes));
    let all = read
        .collect::<Result<Vec<Value>, _>>()
        .map_err(FinetuneError::Json)?;
    // All have what they wait for at about the same time.
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    let clocks = collective.gather(now.as_secs().to_le_bytes().to_vec());
    let clocks = clocks.map_err(TrainError::from)?;
    let clocks = clocks.iter().map(|bytes| {
        let bytes = bytes.as_slice().try_into().unwrap_or_default();
        Duration::from_secs(u64::from_le_bytes(bytes))
    });
    let clocks: Vec<Duration> = clocks.collect();
    match first_difference(&all).or_else(|| first_other_clock(&all, &clocks)) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// The name of the machine of a process, by what it says of itself.
fn machine(of: &Value) -> &str {
    of["machine"].as_str().unwrap_or("an unknown machine")
}

/// The first process whose clock is far from the leading one's.
fn first_other_clock(all: &[Value], clocks: &[Duration]) -> Option<FinetuneError> {
    let ((leader, others), first) = (all.split_first()?, *clocks.first()?);
    let mut clocks = clocks[1..].iter().zip(others).enumerate();
    clocks.find_map(|(n, (clock, other))| {
        let apart = clock.abs_diff(first);
        let ahead = if *clock > first { "ahead" } else { "behind" };
        (apart > CLOCKS).then(|| FinetuneError::Processes {
            process: format!("process {} on {}", n + 1, machine(other)),
            found: format!("a clock {} s {ahead}", apart.as_secs()),
            expected: format!(
                "at most {} s from that of process 0 on {}",
                CLOCKS.as_secs(),
                machine(leader)
            ),
        })
    })
}

/// The first process that is unlike the leading one; what each says of itself is given by rank.
fn first_difference(all: &[Value]) -> Option<FinetuneError> {
    let (leader, others) = all.split_first()?;
    others.iter().enumerate().find_map(|(n, other)| {
        let unlike = differences(leader, other, &OWN);
        let unlike = unlike.first()?;
        Some(FinetuneError::Processes {
            process: format!("process {} on {}", n + 1, machine(other)),
            found: format!("{} {}", unlike.key, unlike.now),
            expected: format!("{}, as in process 0 on {}", unlike.earlier, machine(leader)),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_process_that_differs_is_named_with_what_differs() {
        let process = |machine: &str, rate: f64, digest: &str| {
            json!({
                "machine": machine,
                "settings": {"recipe": {"learning_rate": rate}, "compute": {"device": machine}},
                "data": {"train.json": digest},
            })
        };
        let first = process("a", 0.5, "1f");
        assert!(first_difference(&[first.clone(), process("b", 0.5, "1f")]).is_none());
        for (other, expected) in [
            (
                process("b", 0.25, "1f"),
                "process 2 on b: found settings.recipe.learning_rate 0.25, expected 0.5, as in process 0 on a",
            ),
            (
                process("b", 0.5, "2e"),
                "process 2 on b: found data.train.json \"2e\", expected \"1f\", as in process 0 on a",
            ),
        ] {
            let error = first_difference(&[first.clone(), first.clone(), other]).unwrap();
            assert_eq!(error.to_string(), expected);
            assert!(error.is_bad_input());
        }
    }

    #[test]
    fn a_clock_that_is_far_from_the_first_is_named() {
        let all = ["a", "a", "b"].map(|machine| json!({ "machine": machine }));
        let clocks = |seconds: [u64; 3]| seconds.map(Duration::from_secs);
        assert!(first_other_clock(&all, &clocks([1000, 1060, 940])).is_none());
        for (seconds, expected) in [
            (
                [1000, 1001, 3601],
                "process 2 on b: found a clock 2601 s ahead, expected at most 60 s from that of process 0 on a",
            ),
            (
                [1000, 900, 1000],
                "process 1 on a: found a clock 100 s behind, expected at most 60 s from that of process 0 on a",
            ),
        ] {
            let error = first_other_clock(&all, &clocks(seconds)).unwrap();
            assert_eq!(error.to_string(), expected);
        }
    }
}
