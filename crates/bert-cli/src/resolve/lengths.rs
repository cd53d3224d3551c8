//! How long a trained model's rows are: what the user says, else what it was trained with, else the default, and never
//! more than it can read.

use std::path::Path;

use bert_features::glue::DEFAULT_MAX_SEQ_LENGTH;
use bert_features::squad::{DocStride, SquadFeatureConfig};
use bert_finetune::{Settings, TaskSettings};
use bert_model::{BertConfig, BertModel, Encoder};
use tracing::info;

use crate::args::TrainedWindowArgs;

/// The windows of a question-answering checkpoint.
///
/// # Errors
/// When a file of the checkpoint is damaged.
pub(crate) fn windows(dir: &Path, args: &TrainedWindowArgs) -> anyhow::Result<SquadFeatureConfig> {
    let trained = Settings::of_model(dir)?.and_then(|settings| match settings.task {
        TaskSettings::TrainSquad(squad) => Some(squad.features),
        _ => None,
    });
    let own = trained.unwrap_or_default();
    // A number that is given without its meaning has the flag's own.
    let (doc_stride, doc_stride_is) = match args.doc_stride {
        Some(stride) => (stride, DocStride::default()),
        None => (own.doc_stride, own.doc_stride_is),
    };
    let features = SquadFeatureConfig {
        max_seq_length: length(dir, args.max_seq_length, own.max_seq_length)?,
        doc_stride,
        doc_stride_is: args.doc_stride_is.unwrap_or(doc_stride_is),
        max_query_length: args.max_query_length.unwrap_or(own.max_query_length),
    };
    if features != SquadFeatureConfig::default() {
        let stride = match features.doc_stride_is {
            DocStride::Distance => "every",
            DocStride::Overlap => "that overlap by",
        };
        info!(
            "windows of {} tokens {stride} {}, questions of at most {}",
            features.max_seq_length, features.doc_stride, features.max_query_length
        );
    }
    Ok(features)
}

/// The longest row of a checkpoint of whole examples.
///
/// # Errors
/// When a file of the checkpoint is damaged.
pub(crate) fn max_seq_length(dir: &Path, asked: Option<usize>) -> anyhow::Result<usize> {
    let trained = Settings::of_model(dir)?.and_then(|settings| match settings.task {
        TaskSettings::TrainSquad(_) => None,
        TaskSettings::TrainSwag(swag) => Some(swag.max_seq_length),
        TaskSettings::TrainGlue(glue) => Some(glue.max_seq_length),
    });
    let length = length(dir, asked, trained.unwrap_or(DEFAULT_MAX_SEQ_LENGTH))?;
    if length != asked.unwrap_or(DEFAULT_MAX_SEQ_LENGTH) {
        info!("rows of at most {length} tokens");
    }
    Ok(length)
}

/// A length that the user asks for is taken as it is: one that the model cannot read is refused later.
fn length(dir: &Path, asked: Option<usize>, own: usize) -> anyhow::Result<usize> {
    if let Some(asked) = asked {
        return Ok(asked);
    }
    let config = dir.join("config.json");
    // A folder with a tokenizer alone has no limit: features are made without a model.
    if !config.exists() {
        return Ok(own);
    }
    Ok(own.min(BertModel::limits(&BertConfig::read(&config)?).length))
}
