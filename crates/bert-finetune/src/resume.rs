//! Whether a folder has a run to go on with.

use bert_records::{RunRecord, RunStateStore, RunStatus, changed_inputs, differences};
use bert_tasks::Family;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::warn;

use crate::output::{CHECKPOINTS, earlier_results, is_same_folder};
use crate::{FinetuneError, RunOutcome, RunSettings, Settings};

/// Files that are, or speak of, a model.
const MODELS: [&str; 4] = [
    "model.safetensors",
    "seeds.json",
    "glue_results.json",
    "sweep.json",
];

/// What a run begins with.
#[derive(Serialize, Deserialize)]
pub(crate) enum Begin {
    /// Its first step, in a folder that holds nothing, or nothing that is kept.
    New,
    /// What an unfinished run left.
    Unfinished(RunRecord),
    /// Nothing is left to do.
    Finished(RunOutcome),
}

/// What a run belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Situation {
    /// Other runs belong to the command: one that is finished is no obstacle to them.
    pub(crate) one_of_several: bool,
    /// The command begins anew, whatever its folders hold.
    pub(crate) anew: bool,
}

/// What tells the run apart from others: a digest of the settings that steps depend on and of the inputs.
///
/// # Errors
/// When the settings have no JSON form.
pub(crate) fn identity(settings: &Settings, record: &RunRecord) -> Result<String, FinetuneError> {
    let mut record = record.clone();
    record.settings = settings.comparable()?;
    Ok(record.identity(&[]))
}

/// Looks at the folder of a run.
///
/// # Errors
/// When the folder holds another run, or a finished one, that would be overwritten unasked.
pub(crate) fn examine<F: Family>(
    settings: &Settings,
    now: &RunRecord,
    situation: Situation,
) -> Result<Begin, FinetuneError> {
    let run = &settings.run;
    if run.overwrite_output_dir || situation.anew {
        return Ok(Begin::New);
    }
    let dir = run.output_dir.display();
    let in_place = !run.trains && is_same_folder(&run.output_dir, &run.bert_model);
    let Some(earlier) = RunRecord::read(&run.output_dir)? else {
        let found = match run.trains {
            true => earlier_results::<F>(&run.output_dir)?,
            // Predictions replace predictions, and stand beside no other model than theirs.
            false => MODELS
                .into_iter()
                .find(|file| run.output_dir.join(file).exists())
                .map(str::to_owned),
        };
        return match found {
            Some(file) if !in_place && !run.is_demo_folder => Err(FinetuneError::output_dir(
                run,
                format!("{file}, of an earlier run or another model"),
                "a new folder; `overwrite_output_dir` replaces it".to_owned(),
            )),
            _ => Ok(Begin::New),
        };
    };
    if in_place {
        return Ok(Begin::New);
    }
    let unlike = differences_between(&earlier, settings, now)?;
    match (earlier.status, unlike) {
        // A prediction that was stopped is done again.
        (RunStatus::Unfinished, None) if !run.trains => Ok(Begin::New),
        (RunStatus::Unfinished, None) => {
            if earlier.version != now.version {
                warn!(
                    "{dir}: the run was begun by version {}, this is {}: it may not end as it would have",
                    earlier.version, now.version
                );
            }
            Ok(Begin::Unfinished(earlier))
        }
        (RunStatus::Finished, None) if run.resume || situation.one_of_several => {
            match outcome(&earlier) {
                Some(outcome) => Ok(Begin::Finished(outcome)),
                None => Err(FinetuneError::NoOutcome {
                    path: run.output_dir.join("run.json"),
                }),
            }
        }
        (status, _) if run.is_demo_folder && !run.resume => {
            if status == RunStatus::Unfinished && !has_no_state(run) {
                warn!("{dir}: found an unfinished run of other settings; the demo replaces it");
            }
            Ok(Begin::New)
        }
        // Nothing of it would be lost.
        (RunStatus::Unfinished, Some(_)) if !run.resume && has_no_state(run) => Ok(Begin::New),
        (RunStatus::Finished, None) => {
            let hint = if run.trains {
                "`resume` prints its results, "
            } else {
                ""
            };
            Err(FinetuneError::output_dir(
                run,
                "run.json of an earlier run, finished with these settings".to_owned(),
                format!("a new folder; {hint}`overwrite_output_dir` replaces it"),
            ))
        }
        (RunStatus::Finished, Some(unlike)) => Err(FinetuneError::output_dir(
            run,
            "run.json of an earlier run".to_owned(),
            format!(
                "a new folder, or the same settings and data: {unlike}; `overwrite_output_dir` replaces it"
            ),
        )),
        (RunStatus::Unfinished, Some(unlike)) => Err(FinetuneError::output_dir(
            run,
            "an unfinished run".to_owned(),
            format!(
                "the same settings and data to resume it: {unlike}; `overwrite_output_dir` starts a new one"
            ),
        )),
    }
}

fn has_no_state(run: &RunSettings) -> bool {
    let dir = run.output_dir.join(CHECKPOINTS);
    !dir.exists() || RunStateStore::list(&dir).is_ok_and(|steps| steps.is_empty())
}

/// The settings and inputs in which a run differs from an earlier one, in words; `None` where there are none.
fn differences_between(
    earlier: &RunRecord,
    settings: &Settings,
    now: &RunRecord,
) -> Result<Option<String>, FinetuneError> {
    let path = settings.run.output_dir.join("run.json");
    let then = match Settings::of_record(earlier, path) {
        Ok(then) => then.comparable()?,
        Err(error) => return Ok(Some(error.to_string())),
    };
    let settings = differences(&then, &settings.comparable()?, &[]);
    let settings = settings.iter().map(ToString::to_string);
    let inputs = changed_inputs(&earlier.inputs, &now.inputs);
    let all: Vec<String> = settings.chain(inputs).collect();
    Ok((!all.is_empty()).then(|| all.join(", ")))
}

/// What a finished run came to.
fn outcome(record: &RunRecord) -> Option<RunOutcome> {
    let stored: &Value = record.summary.as_ref()?.get("outcome")?;
    serde_json::from_value(stored.clone()).ok()
}
