//! Whether the processes that are to work together have the same program, settings and data.

use std::path::Path;

use bert_records::{InputFile, differences};
use bert_training::TrainError;
use bert_training::collective::Collective;
use serde_json::{Value, json};
use sysinfo::System;

use crate::FinetuneError;

/// Settings that each process may have for itself.
const OWN: [&str; 2] = ["machine", "settings.compute.device"];

/// Refuses processes that would not do the same work: with other programs, settings, or contents of input files.
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
    match first_difference(&all) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// The first process that is unlike the leading one; what each says of itself is given by rank.
fn first_difference(all: &[Value]) -> Option<FinetuneError> {
    let (leader, others) = all.split_first()?;
    let machine = |of: &Value| {
        let name = of["machine"].as_str();
        name.unwrap_or("an unknown machine").to_owned()
    };
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
}
