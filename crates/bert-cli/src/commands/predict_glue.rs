//! `predict-glue`: what a fine-tuned checkpoint says of texts, and its scores.

use std::marker::PhantomData;
use std::path::Path;

use bert_features::glue::DEFAULT_MAX_SEQ_LENGTH;
use bert_model::heads::BertForSequenceClassification;
use bert_model::{BertConfig, LabelList};

use super::classification::Classification;
use super::prediction::predict;
use super::{checkpoint, glue_data, glue_labels};
use crate::args::{PredictGlueArgs, TaskArg};
use crate::exit::bad_usage;
use crate::resolve::{self, glue::GlueFiles};

/// Writes predictions and, where a file has labels, prints and writes their scores.
///
/// # Errors
/// When an input is bad, the head is untrained, or an output cannot be written.
pub(crate) fn run(args: &PredictGlueArgs) -> anyhow::Result<()> {
    let dir = resolve::checkpoint_dir(&args.model)?;
    let features = &args.features;
    let length = features.max_seq_length.unwrap_or(DEFAULT_MAX_SEQ_LENGTH);
    let compute = resolve::compute(&args.device)?;
    let eval_batch_size = resolve::eval_batch_size(&args.evaluation, compute.device)?;
    let (mut config, tokenizer) = checkpoint::read(&dir, features.do_lower_case, length)?;
    if !args.labels.is_empty() {
        rename_labels(&mut config, &args.labels)?;
    }
    let task = task(args, &config)?;
    let outputs = glue_labels::of_model(&config, task, &dir)?;
    let files = match (&args.predict_file, &args.data_dir) {
        // Whoever asks for predictions gets the leaderboard's file, labels or not.
        (Some(file), _) => GlueFiles {
            test: vec![file.clone()],
            ..GlueFiles::default()
        },
        (None, Some(dir)) => resolve::glue::task_files(dir, task)?,
        (None, None) => unreachable!("clap asks for one of them"),
    };
    if files.dev.is_empty() && files.test.is_empty() {
        let dir = args.data_dir.as_deref().unwrap_or(Path::new(""));
        bad_usage!(
            "--data-dir {}: found no development or test file of {task}, expected at least one",
            dir.display()
        );
    }
    let evaluations = glue_data::eval_sets(task, &files, &tokenizer, length, &outputs)?;
    let family = Classification::<BertForSequenceClassification> {
        config,
        tokenizer,
        training: None,
        evaluations,
        outputs,
        metric: glue_data::metric(task),
        other_labels: false,
        eval_batch_size,
        model: PhantomData,
    };
    predict(&family, &dir, compute, &args.output_dir)
}

/// Gives the checkpoint's classes other names.
fn rename_labels(config: &mut BertConfig, names: &[String]) -> anyhow::Result<()> {
    let LabelList::Classes(own) = config.label_list() else {
        bad_usage!("--labels: found a checkpoint of one score, expected one of classes");
    };
    let is_unnamed = |(id, name): (usize, &String)| *name == format!("LABEL_{id}");
    if own != names && !own.iter().enumerate().all(is_unnamed) {
        bad_usage!(
            "--labels: found {}, but config.json says {}; expected them only where it does not say",
            names.join(", "),
            own.join(", ")
        );
    }
    if own.len() != names.len() {
        bad_usage!(
            "--labels: found {} names, expected one for each of the checkpoint's {} classes",
            names.len(),
            own.len()
        );
    }
    for (n, name) in names.iter().enumerate() {
        if name.is_empty() || names[..n].contains(name) {
            bad_usage!(
                "--labels: found {name:?} as name {}, expected a name of its own for each class",
                n + 1
            );
        }
    }
    config.set_label_list(&LabelList::Classes(names.to_vec()));
    Ok(())
}

/// The layout of the files: the one asked for, or the checkpoint's own task's.
fn task(args: &PredictGlueArgs, config: &BertConfig) -> anyhow::Result<TaskArg> {
    if let Some(task) = args.task {
        return Ok(task);
    }
    match config.finetuning_task().map(str::parse::<TaskArg>) {
        Some(Ok(task)) => Ok(task),
        _ => bad_usage!(
            "--task is missing, and the checkpoint's config.json names none; expected a GLUE task, or csv"
        ),
    }
}
