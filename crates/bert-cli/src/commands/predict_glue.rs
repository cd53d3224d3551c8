//! `predict-glue`: what a fine-tuned checkpoint says of texts, and its scores.

use bert_tasks::Source;
use bert_tasks::glue::{self, PredictGlue, TextTask};

use super::prediction::predict;
use crate::args::PredictGlueArgs;
use crate::resolve;

/// Writes predictions and, where a file has labels, prints and writes their scores.
///
/// # Errors
/// When an input is bad, the head is untrained, or an output cannot be written.
pub(crate) fn run(args: &PredictGlueArgs) -> anyhow::Result<()> {
    resolve::check_inputs(args.predict_file.iter().chain(&args.data_dir))?;
    let compute = resolve::compute(&args.device)?;
    let dir = resolve::checkpoint_dir(&args.model)?;
    let source = Source::new(&dir, args.features.casing.do_lower_case);
    let asked = PredictGlue {
        task: args.task,
        labels: &args.labels,
        columns: resolve::glue::columns(
            &args.columns,
            !matches!(args.task, Some(TextTask::Glue(_))),
        )?,
        label_separator: args.label_separator,
        predict_file: args.predict_file.as_deref(),
        data_dir: args.data_dir.as_deref(),
        max_seq_length: resolve::max_seq_length(&dir, args.features.max_seq_length)?,
        eval_batch_size: resolve::eval_batch_size(&args.evaluation, compute.device)?,
    };
    let family = glue::predict(&source, &asked)?;
    predict(&family, &dir, compute, &args.output_dir)
}
