//! What the commands share that ask a model about texts.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use bert_backend::Backend;
use bert_features::batch::Padding;
use bert_finetune::{Settings, TaskSettings};
use bert_inference::{InferenceConfig, QuestionConfig};
use bert_prediction::squad::{NullThreshold, SquadPredictionConfig};
use bert_tasks::squad::trained_threshold;

use crate::args::{AnswerArgs, DeviceArgs};
use crate::{interrupt, resolve};

/// Entries of the list over which probabilities are computed.
const N_BEST: usize = 20;

/// A checkpoint's folder and the device it runs on.
pub(crate) struct Opened {
    pub(crate) dir: PathBuf,
    pub(crate) backend: Backend,
    pub(crate) config: InferenceConfig,
}

/// Finds the checkpoint and opens the device.
///
/// # Errors
/// When there is no such checkpoint, or the device cannot be opened.
pub(crate) fn open(model: &Path, device: &DeviceArgs) -> anyhow::Result<Opened> {
    let compute = resolve::compute(device)?;
    let dir = resolve::checkpoint_dir(model)?;
    let backend = Backend::open(compute.device)?;
    Ok(Opened {
        dir,
        config: InferenceConfig {
            batch_size: backend.kind().eval_batch_size,
            precision: compute.precision,
            concurrent: backend.concurrent_batches(),
            largest_buffer: backend.largest_buffer(),
            padding: Padding::Longest {
                multiple_of: backend.kind().pad_to_multiple_of,
            },
        },
        backend,
    })
}

/// How questions are answered; whether there may be no answer is read from the record of the run that made the model,
/// where there is one.
///
/// # Errors
/// When a record is damaged.
pub(crate) fn question_config(
    dir: &Path,
    args: &AnswerArgs,
    max_windows: Option<usize>,
) -> anyhow::Result<QuestionConfig> {
    let trained = Settings::of_model(dir)?;
    let trained_so = trained.is_some_and(|settings| match settings.task {
        TaskSettings::TrainSquad(squad) => squad.prediction.answers.version_2_with_negative,
        _ => false,
    });
    let threshold = match args.null_score_diff_threshold {
        None => trained_threshold(dir)?,
        given => given,
    };
    Ok(QuestionConfig {
        features: resolve::windows(dir, &args.windows)?,
        prediction: SquadPredictionConfig {
            n_best_size: N_BEST,
            max_answer_length: args.max_answer_length,
            version_2_with_negative: args.version_2_with_negative || trained_so,
            null_score_diff_threshold: threshold.map(NullThreshold::At),
        },
        max_windows,
    })
}

/// Goes on unless the user asks to stop.
pub(crate) fn unless_interrupted(_done: usize) -> ControlFlow<()> {
    interrupt::check()
}

/// White space of any kind as one space: a text on one line.
pub(crate) fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Characters that a terminal would obey are shown as the replacement character.
pub(crate) fn printable(text: &str) -> String {
    let shown = |c: char| {
        if c.is_control() && c != '\n' && c != '\t' {
            char::REPLACEMENT_CHARACTER
        } else {
            c
        }
    };
    text.chars().map(shown).collect()
}
