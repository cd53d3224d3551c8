//! A checkpoint's configuration and tokenizer, checked against each other.

use std::path::Path;

use bert_model::BertConfig;
use bert_model::checkpoint::{HeadPolicy, LoadReport, load_as};
use bert_model::heads::TaskModel;
use bert_tokenization::BertTokenizer;
use burn::tensor::Device;
use tracing::info;

use crate::exit::bad_usage;

/// Reads a checkpoint's tokenizer; `--do-lower-case` must not contradict it.
///
/// # Errors
/// When the tokenizer's files are bad or the flag contradicts them.
pub(crate) fn tokenizer(dir: &Path, do_lower_case: bool) -> anyhow::Result<BertTokenizer> {
    // The flag can only say "uncased"; its absence says nothing.
    Ok(BertTokenizer::from_dir(dir, do_lower_case.then_some(true))?)
}

/// Reads a checkpoint's configuration and tokenizer, and checks that the model can take what the tokenizer
/// and the settings give it.
///
/// # Errors
/// When a file is bad, or the vocabulary or the sequences are larger than the model's tables.
pub(crate) fn read(
    dir: &Path,
    do_lower_case: bool,
    max_seq_length: usize,
) -> anyhow::Result<(BertConfig, BertTokenizer)> {
    let model = BertConfig::read(&dir.join("config.json"))?;
    let tokenizer = tokenizer(dir, do_lower_case)?;
    bert_inference::check_tokenizer(dir, &model, &tokenizer)?;
    if max_seq_length > model.max_position_embeddings {
        bad_usage!(
            "--max-seq-length: found {max_seq_length}, expected at most config.json's max_position_embeddings {} ({})",
            model.max_position_embeddings,
            dir.display()
        );
    }
    Ok((model, tokenizer))
}

/// Loads a fine-tuned checkpoint, and says what of it is not used.
///
/// # Errors
/// When the weights are bad or the head is untrained or another task's.
pub(crate) fn load_trained<M: TaskModel>(
    dir: &Path,
    config: &BertConfig,
    device: &Device,
) -> anyhow::Result<M> {
    let loaded = load_as::<M>(dir, config.clone(), HeadPolicy::MustBeTrained, device)?;
    say_what_is_unused(&loaded.report);
    Ok(loaded.model)
}

/// Logs the tensors of a file that a model has no place for.
pub(crate) fn say_what_is_unused(report: &LoadReport) {
    if !report.unexpected.is_empty() {
        let path = report.path.display();
        info!("{path}: not used: {}", report.unexpected.join(", "));
    }
}
