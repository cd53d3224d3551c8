//! `predict-squad`: a fine-tuned checkpoint's answers, and their scores.

use bert_prediction::squad::NullThreshold;
use bert_tasks::Source;
use bert_tasks::squad::{Squad, SquadSettings, trained_threshold};

use super::prediction::predict;
use crate::args::PredictSquadArgs;
use crate::resolve::{self, squad};

/// Writes predictions and, where the file has answers, prints and writes their scores.
///
/// # Errors
/// When an input is bad, the head is untrained, or an output cannot be written.
pub(crate) fn run(args: &PredictSquadArgs) -> anyhow::Result<()> {
    resolve::check_inputs([&args.predict_file])?;
    let compute = resolve::compute(&args.device)?;
    let dir = resolve::checkpoint_dir(&args.model)?;
    let source = Source::new(&dir, args.casing.do_lower_case);
    let mut prediction = squad::prediction(&args.prediction, compute.device)?;
    let threshold = &mut prediction.answers.null_score_diff_threshold;
    if threshold.is_none() {
        *threshold = trained_threshold(&dir)?.map(NullThreshold::At);
    }
    let settings = SquadSettings {
        train_file: None,
        predict_file: Some(args.predict_file.clone()),
        columns: args.columns.asked(),
        features: resolve::windows(&dir, &args.windows)?,
        prediction,
    };
    let family = Squad::read(&source, &settings)?;
    predict(&family, &dir, compute, &args.output_dir)
}
