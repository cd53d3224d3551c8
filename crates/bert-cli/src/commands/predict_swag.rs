//! `predict-swag`: the endings that a fine-tuned checkpoint chooses, and their score.

use bert_tasks::{Source, swag};

use super::prediction::predict;
use crate::args::PredictSwagArgs;
use crate::resolve;

/// Writes predictions and, where the file has labels, prints and writes their score.
///
/// # Errors
/// When an input is bad, the head is untrained, or an output cannot be written.
pub(crate) fn run(args: &PredictSwagArgs) -> anyhow::Result<()> {
    resolve::check_inputs([&args.predict_file])?;
    let compute = resolve::compute(&args.device)?;
    let dir = resolve::checkpoint_dir(&args.model)?;
    let length = resolve::max_seq_length(&dir, args.features.max_seq_length)?;
    let batch_size = resolve::eval_batch_size(&args.evaluation, compute.device)?;
    let source = Source::new(&dir, args.features.casing.do_lower_case);
    let columns = args.columns.asked();
    let family = swag::predict(&source, &args.predict_file, &columns, length, batch_size)?;
    predict(&family, &dir, compute, &args.output_dir)
}
