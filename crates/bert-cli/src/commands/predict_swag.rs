//! `predict-swag`: the endings that a fine-tuned checkpoint chooses, and their score.

use std::marker::PhantomData;

use bert_features::swag::DEFAULT_MAX_SEQ_LENGTH;
use bert_model::heads::BertForMultipleChoice;

use super::answers::{Outputs, Submission};
use super::classification::Classification;
use super::metrics::Metric;
use super::prediction::predict;
use super::{checkpoint, swag_data};
use crate::args::PredictSwagArgs;
use crate::resolve;

/// Writes predictions and, where the file has labels, prints and writes their score.
///
/// # Errors
/// When an input is bad, the head is untrained, or an output cannot be written.
pub(crate) fn run(args: &PredictSwagArgs) -> anyhow::Result<()> {
    let dir = resolve::checkpoint_dir(&args.model)?;
    let features = &args.features;
    let length = features.max_seq_length.unwrap_or(DEFAULT_MAX_SEQ_LENGTH);
    let compute = resolve::compute(&args.device)?;
    let eval_batch_size = resolve::eval_batch_size(&args.evaluation, compute.device)?;
    let (config, tokenizer) = checkpoint::read(&dir, features.do_lower_case, length)?;
    let mut set = swag_data::eval_set(&args.predict_file, &tokenizer, length, "")?;
    // Whoever asks for predictions gets the file, labels or not.
    set.submission = Some(Submission::Swag);
    let family = Classification::<BertForMultipleChoice> {
        config,
        tokenizer,
        training: None,
        evaluations: vec![set],
        outputs: Outputs::Choices,
        metric: Metric::Accuracy,
        other_labels: false,
        eval_batch_size,
        model: PhantomData,
    };
    predict(&family, &dir, compute, &args.output_dir)
}
