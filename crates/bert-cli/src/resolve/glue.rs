//! GLUE: tasks, their folders and files.

use bert_datasets::glue::{self, GlueTask};
use bert_datasets::table::TextColumns;
use bert_finetune::{RunSettings, Settings, TaskSettings};
use bert_tasks::glue::{GlueFiles, GlueSettings, TextTask, has_files, task_files};

use super::{check_inputs, data_dir, eval_batch_size, run_settings, stages};
use crate::args::{ColumnArgs, TrainGlueArgs, TrainTaskArg};
use crate::exit::bad_usage;

/// Decides every setting of a `train-glue` run: one for each task that is trained.
///
/// # Errors
/// When settings do not fit together, a file is missing, or a setting that is not supported is asked for.
pub(crate) fn train_glue(args: &TrainGlueArgs) -> anyhow::Result<Vec<(Settings, GlueSettings)>> {
    if let TrainTaskArg::One(task) = args.task {
        let (mut settings, own) = settings(args, task)?;
        name_demo_folder(&mut settings.run, &task.to_string());
        return Ok(vec![(settings, own)]);
    }
    if args.train_file.is_some() || !args.eval_file.is_empty() || !args.test_file.is_empty() {
        bad_usage!("--task all takes its files from --data-dir: give no single files");
    }
    let Some(parent) = &args.data_dir else {
        bad_usage!("--task all: found no --data-dir, expected the folder above the tasks' folders");
    };
    let parent = data_dir(parent)?;
    let (trains, _) = stages(args.do_train, args.do_eval);
    let found: Vec<&GlueTask> = glue::TASKS
        .iter()
        .filter(|task| has_files(&parent.join(task.folder), task, trains))
        .collect();
    if found.is_empty() {
        let folders: Vec<&str> = glue::TASKS.iter().map(|task| task.folder).collect();
        bad_usage!(
            "{}: found no task's folder with files for this, expected at least one of {}",
            parent.display(),
            folders.join(", ")
        );
    }
    let settings = found.into_iter().map(|task| {
        let (mut settings, own) = settings(args, TextTask::Glue(task))?;
        name_demo_folder(&mut settings.run, "glue");
        settings.run.output_dir.push(task.to_string());
        Ok((settings, own))
    });
    settings.collect()
}

/// The demo's folder is named after what is trained.
fn name_demo_folder(run: &mut RunSettings, task: &str) {
    if let Some(dir) = run.output_dir.to_str().filter(|_| run.is_demo_folder) {
        run.output_dir = dir.replace("{task}", task).into();
    }
}

fn settings(args: &TrainGlueArgs, task: TextTask) -> anyhow::Result<(Settings, GlueSettings)> {
    let files = files(args, task)?;
    check_inputs(files.train.iter().chain(&files.dev).chain(&files.test))?;
    let columns = columns(&args.columns, task == TextTask::Csv)?;
    let casing = &args.features.casing;
    let mut run = run_settings(&args.training, files.train.is_some(), casing.do_lower_case)?;
    run.max_predict_examples = args.max_predict_examples;
    run.validate()?;
    let own = GlueSettings {
        task,
        train_file: files.train,
        eval_file: files.dev,
        test_file: files.test,
        text_column: columns.text,
        text_pair_column: columns.text_pair,
        label_column: columns.label,
        multi_label: args.multi_label || !columns.marks.is_empty(),
        label_columns: columns.marks,
        regression: args.regression,
        label_separator: args.label_separator,
        find_label_threshold: args.find_label_threshold,
        class_weights: args.class_weights.clone(),
        label_smoothing: args.label_smoothing,
        max_seq_length: args.features.max_seq_length,
        eval_batch_size: eval_batch_size(&args.evaluation, run.compute.device)?,
    };
    let task = TaskSettings::TrainGlue(own.clone());
    Ok((Settings { run, task }, own))
}

/// The columns that a command names, which only a table of one's own has.
///
/// # Errors
/// When they are named for another file.
pub(crate) fn columns(args: &ColumnArgs, is_table: bool) -> anyhow::Result<TextColumns> {
    let columns = text_columns(args);
    if !is_table && columns != TextColumns::default() {
        bad_usage!(
            "--text-column, --text-pair-column, --label-column and --label-columns: found a GLUE task, whose columns are known, expected --task csv"
        );
    }
    Ok(columns)
}

/// The columns that a command names.
pub(crate) fn text_columns(args: &ColumnArgs) -> TextColumns {
    TextColumns {
        text: args.text_column.clone(),
        text_pair: args.text_pair_column.clone(),
        label: args.label.label_column.clone(),
        marks: args.label_columns.clone(),
        may_be_blank: false,
    }
}

fn files(args: &TrainGlueArgs, task: TextTask) -> anyhow::Result<GlueFiles> {
    let mut files = match &args.data_dir {
        Some(dir) => task_files(data_dir(dir)?, task)?,
        None => GlueFiles::default(),
    };
    if args.train_file.is_some() {
        files.train.clone_from(&args.train_file);
    }
    if !args.eval_file.is_empty() {
        files.dev.clone_from(&args.eval_file);
    }
    if !args.test_file.is_empty() {
        files.test.clone_from(&args.test_file);
    }
    let (trains, predicts) = stages(args.do_train, args.do_eval);
    if !trains {
        files.train = None;
    }
    if !predicts {
        files.dev.clear();
        files.test.clear();
    }
    if args.do_train && files.train.is_none() {
        bad_usage!(
            "--do-train: found no file to train on, expected --train-file or one in --data-dir"
        );
    }
    let splits = args.training.run.validation_split.is_some();
    if args.do_eval && files.dev.is_empty() && files.test.is_empty() && !splits {
        bad_usage!("--do-eval: found no file to score, expected --eval-file or one in --data-dir");
    }
    if files.train.is_none() && files.dev.is_empty() && files.test.is_empty() {
        bad_usage!("{task}: found no data files, expected --data-dir or --train-file");
    }
    Ok(files)
}
