//! SWAG files, read and converted.

use std::path::Path;

use bert_datasets::swag::{self, SwagDataset};
use bert_features::pair::SequenceFeatures;
use bert_tokenization::BertTokenizer;
use bert_training::classification::Targets;
use tracing::info;

use super::answers::Submission;
use super::classification::EvalSet;
use super::examples::Texts;
use super::features::{cut, say_what_was_cut};

/// Reads a file and converts it.
///
/// # Errors
/// When the file is bad or the settings do not fit.
pub(crate) fn read(
    path: &Path,
    tokenizer: &BertTokenizer,
    max_seq_length: usize,
    most: Option<usize>,
) -> anyhow::Result<(SwagDataset, SequenceFeatures)> {
    let mut dataset = swag::read(path)?;
    if let Some(most) = most {
        dataset.examples.truncate(most);
    }
    let started = std::time::Instant::now();
    let features = bert_features::swag::convert(&dataset, tokenizer, max_seq_length)?;
    info!(
        "{}: {} examples of four choices converted in {:.2} s",
        path.display(),
        dataset.examples.len(),
        started.elapsed().as_secs_f64()
    );
    say_what_was_cut(&features);
    Ok((dataset, features))
}

/// What of a file is not whole.
pub(crate) fn left_out(path: &Path, features: &SequenceFeatures) -> Vec<String> {
    let line = cut(features).map(|line| format!("{}: {line}", path.display()));
    line.into_iter().collect()
}

/// The right choices; `None` where the file has no labels.
pub(crate) fn targets(dataset: &SwagDataset) -> Option<Targets> {
    let labels = dataset.examples.iter().map(|example| example.label);
    let labels: Option<Vec<usize>> = labels.map(|label| label.map(usize::from)).collect();
    labels.map(Targets::Classes)
}

/// A file whose choices are predicted.
///
/// # Errors
/// Those of [`read`].
pub(crate) fn eval_set(
    path: &Path,
    tokenizer: &BertTokenizer,
    max_seq_length: usize,
    suffix: &'static str,
) -> anyhow::Result<EvalSet> {
    let (dataset, features) = read(path, tokenizer, max_seq_length, None)?;
    Ok(EvalSet {
        path: path.to_owned(),
        suffix,
        is_test: false,
        left_out: left_out(path, &features),
        features,
        submission: (!dataset.labelled).then_some(Submission::Swag),
        targets: targets(&dataset),
        ids: dataset.examples.iter().map(|e| e.id.clone()).collect(),
        texts: Texts::Choices(dataset.examples),
    })
}
