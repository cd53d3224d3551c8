//! `predict-squad`: a fine-tuned checkpoint's answers, and their scores.

use std::io::Write;

use bert_features::squad::SquadMode;
use bert_model::heads::BertForQuestionAnswering;
use bert_report::{to_python_json, write_eval_results};
use bert_training::batches::Padding;
use tracing::info;

use super::family::Scoring;
use super::output::OutputFolder;
use super::prediction::PAD_TO_MULTIPLE_OF;
use super::squad_results::{Answering, score_answers, write_predictions};
use super::{checkpoint, squad_data};
use crate::args::PredictSquadArgs;
use crate::resolve::squad::{self, script_features};
use crate::{backend, resolve};

/// Writes predictions and, where the file has answers, prints and writes their scores.
///
/// # Errors
/// When an input is bad, the head is untrained, or an output cannot be written.
pub(crate) fn run(args: &PredictSquadArgs) -> anyhow::Result<()> {
    let dir = resolve::checkpoint_dir(&args.model)?;
    let settings = script_features(&args.features);
    let compute = resolve::compute(&args.device)?;
    let prediction = squad::prediction(&args.prediction, compute.device)?;
    prediction.config().validate()?;
    let lower_case = args.features.do_lower_case;
    let (config, tokenizer) = checkpoint::read(&dir, lower_case, settings.max_seq_length)?;
    let dataset = squad_data::read(&args.predict_file, prediction.version_2_with_negative)?;
    let features = squad_data::convert(&dataset, &tokenizer, settings, SquadMode::Evaluation)?;
    resolve::check_is_folder(&args.output_dir)?;

    let backend = backend::open(compute.device)?;
    let model: BertForQuestionAnswering = checkpoint::load_trained(&dir, &config, &backend.device)?;
    let _folder = OutputFolder::open(&args.output_dir)?;
    let answering = Answering {
        dataset: &dataset,
        features: &features,
        tokenizer: &tokenizer,
        settings: prediction,
        scoring: Scoring {
            device: &backend.device,
            padding: Padding::Longest {
                multiple_of: PAD_TO_MULTIPLE_OF,
            },
            precision: compute.precision.into(),
            concurrent: backend.concurrent,
        },
        pad_token_id: config.pad_token_id,
    };
    let answers = answering.run(&model)?;
    write_predictions(&args.output_dir, &answers)?;
    info!("predictions are in {}", args.output_dir.display());
    if let Some(scores) = score_answers(&dataset, &answers) {
        write_eval_results(&args.output_dir, &scores.by_key())?;
        writeln!(std::io::stdout(), "{}", to_python_json(&scores)?)?;
    }
    Ok(())
}
