//! `predict-squad`: a fine-tuned checkpoint's answers, and their scores.

use std::io::Write;

use bert_features::squad::SquadMode;
use bert_model::BertConfig;
use bert_model::checkpoint::{HeadPolicy, load};
use bert_model::heads::BertForQuestionAnswering;
use bert_report::{create_dir, to_python_json, write_eval_results};
use bert_training::batches::Padding;
use tracing::info;

use super::squad_data;
use super::squad_results::{Answering, score_answers, write_predictions};
use crate::args::PredictSquadArgs;
use crate::{backend, resolve};

/// Rows are rounded up to so many tokens.
const PAD_TO_MULTIPLE_OF: usize = 16;

/// Writes predictions and, where the file has answers, prints and writes their scores.
///
/// # Errors
/// When an input is bad, the head is untrained, or an output cannot be written.
pub(crate) fn run(args: &PredictSquadArgs) -> anyhow::Result<()> {
    let dir = resolve::checkpoint_dir(&args.model)?;
    let settings = resolve::script_features(&args.features);
    let choice = resolve::device(&args.device);
    let prediction = resolve::prediction(&args.prediction, choice)?;
    prediction.config().validate()?;
    let config = BertConfig::read(&dir.join("config.json"))?;
    let tokenizer = squad_data::tokenizer(&dir, args.features.do_lower_case)?;
    squad_data::check_model(&dir, &config, &tokenizer, settings)?;
    let dataset = squad_data::read(&args.predict_file, prediction.version_2_with_negative)?;
    let features = squad_data::convert(&dataset, &tokenizer, settings, SquadMode::Evaluation)?;
    resolve::check_is_folder(&args.output_dir)?;

    let backend = backend::open(choice)?;
    let loaded =
        load::<BertForQuestionAnswering>(&dir, HeadPolicy::MustBeTrained, &backend.device)?;
    if !loaded.report.unexpected.is_empty() {
        info!(
            "{}: not used: {}",
            loaded.report.path.display(),
            loaded.report.unexpected.join(", ")
        );
    }
    create_dir(&args.output_dir)?;
    let answering = Answering {
        dataset: &dataset,
        features: &features,
        tokenizer: &tokenizer,
        settings: prediction,
        padding: Padding::Longest {
            multiple_of: PAD_TO_MULTIPLE_OF,
        },
        pad_token_id: config.pad_token_id,
    };
    let answers = answering.run(&loaded.model, &backend.device)?;
    write_predictions(&args.output_dir, &answers)?;
    info!("predictions are in {}", args.output_dir.display());
    if let Some(scores) = score_answers(&dataset, &answers) {
        write_eval_results(&args.output_dir, &scores.by_key())?;
        writeln!(std::io::stdout(), "{}", to_python_json(&scores)?)?;
    }
    Ok(())
}
