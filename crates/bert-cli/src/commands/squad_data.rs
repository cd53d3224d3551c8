//! SQuAD files and tokenizers, read and checked against each other.

use std::path::Path;

use bert_datasets::squad::{self, SquadDataset, SquadVersion};
use bert_features::squad::{SquadFeatures, SquadMode};
use bert_tokenization::BertTokenizer;
use tracing::info;

use crate::exit::bad_usage;
use crate::resolve::squad::Features;

/// Reads a SQuAD file for a model that does, or does not, know questions without an answer.
///
/// # Errors
/// When the file is bad, or is SQuAD 2.0 and the flag that says so is missing.
pub(crate) fn read(path: &Path, version_2_with_negative: bool) -> anyhow::Result<SquadDataset> {
    let dataset = squad::read(path)?;
    if dataset.version == SquadVersion::V2_0 && !version_2_with_negative {
        bad_usage!(
            "{}: found SQuAD 2.0, whose questions may have no answer, expected v1.1; add --version-2-with-negative",
            path.display()
        );
    }
    Ok(dataset)
}

/// Converts a dataset and reports what was left out.
///
/// # Errors
/// When the settings do not fit the data.
pub(crate) fn convert(
    dataset: &SquadDataset,
    tokenizer: &BertTokenizer,
    features: Features,
    mode: SquadMode,
) -> anyhow::Result<SquadFeatures> {
    let started = std::time::Instant::now();
    let converted = SquadFeatures::convert(dataset, tokenizer, &features.config(), mode)?;
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
pub(crate) fn left_out(converted: &SquadFeatures) -> Vec<String> {
    let skipped = &converted.skipped;
    let mut lines = Vec::new();
    for (ids, reason) in [
        (
            &skipped.answers_not_found,
            "the answer is not in the context where the file says",
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
