//! SQuAD files and tokenizers, read and checked against each other.

use std::path::Path;

use bert_datasets::squad::{self, QuestionColumns, SquadDataset, SquadVersion};
use bert_features::squad::{SquadFeatureConfig, SquadFeatures, SquadMode};
use bert_tokenization::BertTokenizer;
use tracing::info;

use crate::{Seen, TaskError};

/// Reads a SQuAD file. `version_2_with_negative` says that questions may have no answer.
///
/// # Errors
/// When the file is bad, or is SQuAD 2.0 and `version_2_with_negative` is false.
pub fn read(
    path: &Path,
    columns: &QuestionColumns,
    version_2_with_negative: bool,
) -> Result<SquadDataset, TaskError> {
    let dataset = squad::read(path, columns)?;
    if dataset.version == SquadVersion::V2_0 && !version_2_with_negative {
        return Err(TaskError::Version2 {
            path: path.to_owned(),
        });
    }
    if let Some(line) = unlabelled(&dataset) {
        info!("{}: {line}", path.display());
    }
    Ok(dataset)
}

/// How many questions a file does not label, where there are any.
pub fn unlabelled(dataset: &SquadDataset) -> Option<String> {
    let unlabelled = dataset.unlabelled();
    (unlabelled > 0).then(|| {
        format!(
            "{unlabelled} of {} questions have no answers in the file and are not scored",
            dataset.questions.len()
        )
    })
}

/// Converts a dataset and reports what was left out.
///
/// # Errors
/// When the settings do not fit the data.
pub fn convert(
    dataset: &SquadDataset,
    tokenizer: &BertTokenizer,
    config: &SquadFeatureConfig,
    mode: SquadMode,
) -> Result<SquadFeatures, TaskError> {
    let started = std::time::Instant::now();
    let converted = SquadFeatures::convert(dataset, tokenizer, config, mode)?;
    info!(
        "{} questions on {} contexts became {} windows in {:.2} s",
        dataset.questions.len(),
        dataset.contexts.len(),
        converted.windows.len(),
        started.elapsed().as_secs_f64()
    );
    for line in left_out(&converted) {
        info!("{line}");
    }
    Ok(converted)
}

/// What of a file is not used, and why.
pub fn left_out(converted: &SquadFeatures) -> Vec<String> {
    let skipped = &converted.skipped;
    let mut lines = Vec::new();
    for (ids, reason) in [
        (
            &skipped.answers_not_found,
            "the answer is white space, or not in the context where the file says",
        ),
        (
            &skipped.answers_in_no_window,
            "the answer is longer than every window",
        ),
    ] {
        if let Some(first) = ids.first() {
            lines.push(format!(
                "{} questions left out: {reason} (the first is {first})",
                ids.len()
            ));
        }
    }
    if skipped.windows_without_answer > 0 {
        lines.push(format!(
            "{} windows left out: they do not hold the whole answer",
            skipped.windows_without_answer
        ));
    }
    if skipped.extra_answers_ignored > 0 {
        lines.push(format!(
            "{} further answers not used: training takes a question's first",
            skipped.extra_answers_ignored
        ));
    }
    lines
}

/// Questions with their contexts, as digests.
pub(super) fn seen(dataset: &SquadDataset) -> Seen {
    Seen::of(dataset.questions.iter().map(|question| {
        let context = &dataset.contexts[question.context].text;
        [question.text.as_str(), context.as_str()]
    }))
}
