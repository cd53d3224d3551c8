//! GLUE: tasks, their folders and files.

use std::path::PathBuf;

use bert_datasets::glue::GlueTask;
use bert_features::glue::DEFAULT_MAX_SEQ_LENGTH;
use bert_finetune::Settings;
use bert_tasks::glue::{GlueFiles, GlueSettings, TextTask, has_files, task_files};

use super::{
    FamilyChoice, TrainingArgs, compute, data_dir, demo_dir, eval_batch_size, run_settings, stages,
};
use crate::args::{TrainGlueArgs, TrainTaskArg};
use crate::config;
use crate::exit::bad_usage;

/// Decides every setting of a `train-glue` run: one for each task that is trained.
///
/// # Errors
/// When settings do not fit together, a file is missing, or a setting that has no support here is asked for.
pub(crate) fn train_glue(args: &TrainGlueArgs) -> anyhow::Result<Vec<Settings<GlueSettings>>> {
    match args.task {
        TrainTaskArg::One(task) => {
            let files = files(args, task)?;
            Ok(vec![settings(args, task, files, None)?])
        }
        TrainTaskArg::All => {
            let given = [&args.train_file, &args.eval_file, &args.test_file];
            if given.iter().any(|file| file.is_some()) {
                bad_usage!("--task all takes its files from --data-dir: give no single files");
            }
            let demo_data = args.run.demo_dir.join("glue");
            let parent = match &args.data_dir {
                Some(dir) => data_dir(dir)?,
                None => {
                    demo_dir(&args.run.demo_dir)?;
                    &demo_data
                }
            };
            let found: Vec<GlueTask> = GlueTask::ALL
                .into_iter()
                .filter(|task| {
                    has_files(
                        &parent.join(task.folder()),
                        *task,
                        stages(args.do_train, args.do_eval).0,
                    )
                })
                .collect();
            if found.is_empty() {
                bad_usage!(
                    "{}: found no task's folder with files for this, expected at least one of {}",
                    parent.display(),
                    GlueTask::ALL.map(GlueTask::folder).join(", ")
                );
            }
            let settings = found.into_iter().map(|task| {
                let task = TextTask::Glue(task);
                settings(args, task, files(args, task)?, Some(&task.to_string()))
            });
            settings.collect()
        }
    }
}

fn settings(
    args: &TrainGlueArgs,
    task: TextTask,
    files: GlueFiles,
    folder: Option<&str>,
) -> anyhow::Result<Settings<GlueSettings>> {
    let demo = is_demo(args);
    let max_seq_length = args.features.max_seq_length.unwrap_or(match demo {
        true => config::demo("train-glue").max_seq_length,
        false => DEFAULT_MAX_SEQ_LENGTH,
    });
    let demo_output_dir = match folder {
        Some(_) => PathBuf::from("out/glue-demo"),
        None => PathBuf::from(format!("out/{task}-demo")),
    };
    let family = FamilyChoice {
        demo,
        trains: files.train.is_some(),
        demo_model: args.run.demo_dir.join("bert-small"),
        demo_output_dir,
        demo_recipe: config::demo("train-glue"),
        max_seq_length,
        do_lower_case: args.features.do_lower_case,
    };
    let mut run = run_settings(&training_args(args), family)?;
    if let Some(folder) = folder {
        run.output_dir.push(folder);
    }
    let own = GlueSettings {
        task,
        files,
        max_seq_length,
        eval_batch_size: eval_batch_size(&args.evaluation, compute(&args.device.device)?.device)?,
    };
    Ok(Settings { run, own })
}

fn is_demo(args: &TrainGlueArgs) -> bool {
    let given = [&args.train_file, &args.eval_file, &args.test_file];
    args.data_dir.is_none() && given.iter().all(|file| file.is_none())
}

fn files(args: &TrainGlueArgs, task: TextTask) -> anyhow::Result<GlueFiles> {
    let mut files = match &args.data_dir {
        Some(dir) => task_files(data_dir(dir)?, task)?,
        None if is_demo(args) => match task {
            TextTask::Glue(_) => task_files(&demo_dir(&args.run.demo_dir)?.join("glue"), task)?,
            TextTask::Csv => {
                bad_usage!("--task csv needs --train-file or --eval-file, or --data-dir")
            }
        },
        None => GlueFiles::default(),
    };
    if args.train_file.is_some() {
        files.train.clone_from(&args.train_file);
    }
    if let Some(file) = &args.eval_file {
        files.dev = vec![file.clone()];
    }
    if let Some(file) = &args.test_file {
        files.test = vec![file.clone()];
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
    if args.do_eval && files.dev.is_empty() && files.test.is_empty() {
        bad_usage!("--do-eval: found no file to score, expected --eval-file or one in --data-dir");
    }
    if files.train.is_none() && files.dev.is_empty() && files.test.is_empty() {
        bad_usage!("{task}: found no data files, expected --data-dir or --train-file");
    }
    Ok(files)
}

fn training_args(args: &TrainGlueArgs) -> TrainingArgs<'_> {
    TrainingArgs {
        run: &args.run,
        recipe: &args.recipe,
        checkpoints: &args.checkpoints,
        device: &args.device,
    }
}
