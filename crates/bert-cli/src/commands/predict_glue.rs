//! `predict-glue`: what a fine-tuned checkpoint says of texts, and its scores.

use std::marker::PhantomData;

use bert_features::glue::DEFAULT_MAX_SEQ_LENGTH;
use bert_model::heads::BertForSequenceClassification;
use bert_model::{BertConfig, LabelList};

use super::checkpoint;
use super::classification::Classification;
use super::prediction::predict;
use super::train_glue::{eval_set, metric, outputs_of_checkpoint};
use crate::args::{PredictGlueArgs, TaskArg};
use crate::exit::bad_usage;
use crate::resolve;

/// Writes predictions and, where a file has labels, prints and writes their scores.
///
/// # Errors
/// When an input is bad, the head is untrained, or an output cannot be written.
pub(crate) fn run(args: &PredictGlueArgs) -> anyhow::Result<()> {
    let dir = resolve::checkpoint_dir(&args.model)?;
    let features = &args.features;
    let length = features.max_seq_length.unwrap_or(DEFAULT_MAX_SEQ_LENGTH);
    let choice = resolve::device_choice(&args.device);
    let eval_batch_size = resolve::eval_batch_size(&args.evaluation, choice)?;
    let (mut config, tokenizer) = checkpoint::read(&dir, features.do_lower_case, length)?;
    if !args.labels.is_empty() {
        rename_labels(&mut config, &args.labels)?;
    }
    let task = task(args, &config)?;
    let outputs = outputs_of_checkpoint(&config, task, &dir)?;
    let paths = match (&args.predict_file, &args.data_dir) {
        (Some(file), _) => vec![file.clone()],
        (None, Some(dir)) => {
            let files = resolve::glue::task_files(dir, task)?;
            files.dev.into_iter().chain(files.test).collect()
        }
        (None, None) => unreachable!("clap asks for one of them"),
    };
    if paths.is_empty() {
        bad_usage!(
            "--data-dir: found no development or test file of {task}, expected at least one"
        );
    }
    let evaluations = paths
        .iter()
        .map(|path| eval_set(task, path, &tokenizer, length, &outputs))
        .collect::<anyhow::Result<_>>()?;
    let family = Classification::<BertForSequenceClassification> {
        config,
        tokenizer,
        training: None,
        evaluations,
        outputs,
        metric: metric(task),
        other_labels: false,
        eval_batch_size,
        model: PhantomData,
    };
    predict(&family, &dir, choice, &args.output_dir)
}

/// Gives the checkpoint's classes other names.
fn rename_labels(config: &mut BertConfig, names: &[String]) -> anyhow::Result<()> {
    let outputs = config.label_list().outputs();
    if outputs != names.len() {
        bad_usage!(
            "--labels: found {} names, expected one for each of the checkpoint's {outputs} classes",
            names.len()
        );
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
