//! What the prediction commands share.

use std::io::Write;
use std::path::Path;

use bert_backend::Backend;
use bert_features::batch::Padding;
use bert_files::Replacement;
use bert_finetune::{
    Compute, FinetuneError, OutputFolder, Program, SCORES, check_agreement,
    check_inputs_are_no_outputs, check_is_folder,
};
use bert_records::{to_python_json, write_eval_results};
use bert_tasks::{Family, Purpose, Scoring, load_trained};
use bert_training::collective::made_by_leader;
use serde_json::json;
use tracing::info;

use crate::progress::Terminal;

/// Rows are rounded up to a multiple of this number of tokens.
const PAD_TO_MULTIPLE_OF: usize = 16;

/// How wide a batch is made.
pub(super) fn padding() -> Padding {
    Padding::Longest {
        multiple_of: PAD_TO_MULTIPLE_OF,
    }
}

/// Predicts with a trained checkpoint, writes everything into `output_dir`, and prints and writes the scores
/// where there are labels.
///
/// # Errors
/// When the weights are bad, the head is untrained or another task's, or an output cannot be written.
pub(crate) fn predict<F: Family>(
    family: &F,
    model: &Path,
    compute: Compute,
    output_dir: &Path,
) -> anyhow::Result<()> {
    check_is_folder(output_dir)?;
    check_inputs_are_no_outputs(family, output_dir)?;
    let backend = Backend::open(compute.device)?;
    let collective = Terminal.collective();
    let settings = json!({
        "precision": compute.precision,
        "batch": family.evaluation_batch(),
        "examples": family.counts(),
    });
    if collective.size() > 1 {
        check_agreement(collective, &settings, &family.inputs()?)?;
    }
    let scoring = Scoring {
        device: &backend.device,
        padding: padding(),
        precision: compute.precision,
        concurrent: backend.concurrent_batches(),
        largest_buffer: backend.largest_buffer(),
        collective,
        watch: &Terminal,
    };
    let model = load_trained::<F::Model>(model, family.config(), &scoring)?;
    let mut writing = None;
    made_by_leader(collective, || {
        let folder = OutputFolder::open(output_dir)?;
        folder.remove_leftovers()?;
        // What an earlier prediction left would stand beside this one.
        let mut files = Replacement::new(output_dir)?;
        files.remove(SCORES.into_iter().chain(family.replaced_predictions()));
        writing = Some((folder, files));
        Ok::<_, FinetuneError>(())
    })?;
    let files = writing.as_mut().map(|(_, files)| files);
    let evaluation = family.evaluate(&model, &scoring, Purpose::Results(files));
    let evaluation = evaluation.map_err(FinetuneError::of_evaluation::<F>)?;
    let Some((_folder, mut files)) = writing else {
        return Ok(());
    };
    if let Some(evaluation) = &evaluation {
        write_eval_results(&mut files, &evaluation.by_key)?;
    }
    files.commit()?;
    info!("predictions are in {}", output_dir.display());
    if let Some(evaluation) = evaluation {
        writeln!(std::io::stdout(), "{}", to_python_json(&evaluation.by_key)?)?;
    }
    Ok(())
}
