//! `evaluate-squad`: the official scores of a predictions file.

use std::io::Write;

use bert_datasets::squad;
use bert_report::to_python_json;
use bert_tasks::squad::score;

use crate::args::EvaluateSquadArgs;

/// Prints one JSON object with the official keys.
///
/// # Errors
/// When a file is bad.
pub(crate) fn run(args: &EvaluateSquadArgs) -> anyhow::Result<()> {
    let dataset = squad::read(&args.data)?;
    let predictions = bert_datasets::squad::read_predictions(&args.predictions)?;
    let scores = score(&dataset, |id| predictions.get(id).map(String::as_str));
    writeln!(std::io::stdout(), "{}", to_python_json(&scores)?)?;
    Ok(())
}
