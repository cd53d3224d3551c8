//! Whether a folder has a run to go on with.

use bert_report::{RunRecord, RunStatus, changed_inputs, differences};
use serde_json::Value;
use tracing::warn;

use super::output::{EARLIER_RUN, is_same_folder};
use super::training::{Family, RunOutcome};
use crate::exit::bad_usage;
use crate::resolve::RunSettings;

/// Settings that two runs may not share and still be the same run: paths, for what they lead to is compared, when
/// it is saved, and how many examples are evaluated at a time.
const MAY_DIFFER: [&str; 10] = [
    "bert_model",
    "eval_batch_size",
    "eval_file",
    "files",
    "output_dir",
    "overwrite_output_dir",
    "predict_file",
    "prediction.predict_batch_size",
    "saving",
    "train_file",
];
const TEST_FILE: &str = "test_file";

/// What a run begins with.
pub(crate) enum Begin {
    /// Its first step, in a folder that holds nothing, or nothing that is kept.
    New,
    /// What an unfinished run left.
    Unfinished(RunRecord),
    /// Nothing is left to do.
    Finished(RunOutcome),
}

/// What a run is: a digest of what its steps depend on.
pub(crate) fn identity(record: &RunRecord) -> String {
    record.identity(&ignored())
}

fn ignored() -> Vec<&'static str> {
    MAY_DIFFER.into_iter().chain([TEST_FILE]).collect()
}

/// Looks at the folder of a run. `one_of_several`: a run that is finished is no obstacle to the others.
///
/// # Errors
/// When the folder holds another run, or a finished one, that would be overwritten unasked.
pub(crate) fn look<F: Family>(
    run: &RunSettings,
    now: &RunRecord,
    one_of_several: bool,
) -> anyhow::Result<Begin> {
    let dir = run.output_dir.display();
    if run.overwrite_output_dir {
        return Ok(Begin::New);
    }
    if !run.trains {
        return look_without_training(run);
    }
    let Some(earlier) = RunRecord::read(&run.output_dir)? else {
        return match found_of_earlier::<F>(run) {
            Some(file) if !run.is_demo_folder => bad_usage!(
                "--output-dir {dir}: found {file} of an earlier run, expected a new folder; --overwrite-output-dir replaces it"
            ),
            _ => Ok(Begin::New),
        };
    };
    let unlike = unlike(&earlier, now);
    let finished = earlier.status == RunStatus::Finished;
    match (finished, unlike) {
        (false, None) => {
            if earlier.version != now.version {
                warn!(
                    "{dir}: the run was begun by version {}, this is {}: it may not end as it would have",
                    earlier.version, now.version
                );
            }
            Ok(Begin::Unfinished(earlier))
        }
        (true, None) if run.resume || one_of_several && !run.is_demo_folder => {
            match outcome(&earlier) {
                Some(outcome) => Ok(Begin::Finished(outcome)),
                None => bad_usage!(
                    "{dir}/run.json: found no results of the finished run, expected them under summary"
                ),
            }
        }
        _ if run.is_demo_folder && !run.resume => Ok(Begin::New),
        (true, _) => bad_usage!(
            "--output-dir {dir}: found run.json of an earlier run, expected a new folder; --overwrite-output-dir replaces it"
        ),
        (false, Some(unlike)) => bad_usage!(
            "--output-dir {dir}: found an unfinished run of other settings or data, expected the same to go on with it: \
             {unlike}; --overwrite-output-dir starts anew"
        ),
    }
}

fn look_without_training(run: &RunSettings) -> anyhow::Result<Begin> {
    let in_place = is_same_folder(&run.output_dir, &run.bert_model);
    let earlier = EARLIER_RUN
        .into_iter()
        .find(|file| run.output_dir.join(file).exists());
    // A prediction that was stopped is done again.
    let unfinished = RunRecord::read(&run.output_dir)?.is_some_and(|record| {
        record.status == RunStatus::Unfinished && record.settings.get("recipe").is_some()
    });
    match earlier {
        Some(file) if !in_place && !run.is_demo_folder && !(file == "run.json" && unfinished) => {
            bad_usage!(
                "--output-dir {}: found {file} of an earlier run, expected a new folder; --overwrite-output-dir replaces it",
                run.output_dir.display()
            )
        }
        _ => Ok(Begin::New),
    }
}

/// A file of an earlier run in the folder.
fn found_of_earlier<F: Family>(run: &RunSettings) -> Option<&'static str> {
    let mut files = EARLIER_RUN.into_iter().chain(F::predictions());
    files.find(|file| run.output_dir.join(file).exists())
}

/// In what two runs differ, in words; `None` where they do not.
fn unlike(earlier: &RunRecord, now: &RunRecord) -> Option<String> {
    let settings = differences(&earlier.settings, &now.settings, &ignored());
    let settings = settings.iter().map(ToString::to_string);
    let inputs = changed_inputs(&earlier.inputs, &now.inputs);
    let all: Vec<String> = settings.chain(inputs).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

/// What a finished run came to.
fn outcome(record: &RunRecord) -> Option<RunOutcome> {
    let stored: &Value = record.summary.as_ref()?.get("outcome")?;
    serde_json::from_value(stored.clone()).ok()
}
