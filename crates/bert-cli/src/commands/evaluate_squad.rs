//! `evaluate-squad`: the official scores of a predictions file.

use std::io::Write;

use bert_datasets::squad;
use bert_records::to_python_json;
use bert_tasks::squad::data::unlabelled;
use bert_tasks::squad::score;
use tracing::warn;

use crate::args::EvaluateSquadArgs;
use crate::exit::bad_usage;

/// Prints one JSON object with the official keys. Questions without answers are left out of the scores.
///
/// # Errors
/// When a file is bad, or no question has an answer.
pub(crate) fn run(args: &EvaluateSquadArgs) -> anyhow::Result<()> {
    let dataset = squad::read(&args.data)?;
    let predictions = bert_datasets::squad::read_predictions(&args.predictions)?;
    if let Some(line) = unlabelled(&dataset) {
        warn!("{}: {line}", args.data.display());
    }
    let scores = score(&dataset, |id| predictions.get(id).map(String::as_str));
    let Some(scores) = scores else {
        bad_usage!(
            "{}: found no question with answers, expected some to score against",
            args.data.display()
        );
    };
    writeln!(std::io::stdout(), "{}", to_python_json(&scores)?)?;
    Ok(())
}
