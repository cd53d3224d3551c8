//! `evaluate-squad`: the official scores of a predictions file.

use std::io::Write;

use bert_datasets::squad::{self, SquadDataset, SquadVersion, read_null_odds, read_predictions};
use bert_records::to_python_json;
use bert_tasks::squad::data::unlabelled;
use bert_tasks::squad::{WithThresholds, score, score_with_odds};
use tracing::warn;

use crate::args::EvaluateSquadArgs;
use crate::exit::bad_usage;

/// `--na-prob-thresh` of the official script.
const NA_PROB_THRESH: f64 = 1.0;

/// Prints one JSON object with the official keys. Questions without answers are left out of the scores.
///
/// # Errors
/// When a file is bad, or no question has an answer.
pub(crate) fn run(args: &EvaluateSquadArgs) -> anyhow::Result<()> {
    let dataset = squad::read(&args.data, &args.columns.asked())?;
    let predictions = read_predictions(&args.predictions)?;
    if let Some(line) = unlabelled(&dataset) {
        warn!("{}: {line}", args.data.display());
    }
    let prediction = |id: &str| predictions.get(id).map(String::as_str);
    let Some(scores) = score(&dataset, prediction) else {
        bad_usage!(
            "{}: found no question with answers, expected some to score against",
            args.data.display()
        );
    };
    let printed = if args.null_odds.is_some() {
        to_python_json(&with_odds(args, &dataset, prediction)?)?
    } else {
        to_python_json(&scores)?
    };
    writeln!(std::io::stdout(), "{printed}")?;
    Ok(())
}

fn with_odds<'a>(
    args: &EvaluateSquadArgs,
    dataset: &'a SquadDataset,
    prediction: impl Fn(&str) -> Option<&'a str>,
) -> anyhow::Result<WithThresholds> {
    let Some(path) = &args.null_odds else {
        unreachable!("the odds were asked for")
    };
    if dataset.version != SquadVersion::V2_0 {
        bad_usage!(
            "--null-odds: found SQuAD {} in {}, expected 2.0, whose questions may have no answer",
            dataset.version,
            args.data.display()
        );
    }
    let odds = read_null_odds(path)?;
    let known: std::collections::HashSet<&str> = odds.iter().map(|(id, _)| id.as_str()).collect();
    let mut scored = dataset
        .questions
        .iter()
        .filter(|question| question.is_labelled);
    if let Some(question) = scored.find(|question| !known.contains(question.id.as_str())) {
        bad_usage!(
            "{}: found no odds of question {:?}, expected those of every question",
            path.display(),
            question.id
        );
    }
    let threshold = args.na_prob_thresh.unwrap_or(NA_PROB_THRESH);
    Ok(score_with_odds(dataset, prediction, &odds, threshold))
}
