//! GLUE: tasks, their folders and files.

use std::path::{Path, PathBuf};

use bert_datasets::glue::GlueTask;
use bert_features::glue::DEFAULT_MAX_SEQ_LENGTH;
use serde::Serialize;

use super::{
    FamilyChoice, Settings, TrainingArgs, compute, data_dir, demo_dir, eval_batch_size,
    run_settings, stages,
};
use crate::args::{TaskArg, TrainGlueArgs, TrainTaskArg};
use crate::config;
use crate::exit::bad_usage;

/// What `train-glue` has beside what every training has.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct GlueSettings {
    #[serde(serialize_with = "as_text")]
    pub(crate) task: TaskArg,
    pub(crate) files: GlueFiles,
    pub(crate) max_seq_length: usize,
    pub(crate) eval_batch_size: usize,
}

/// The files of one task.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct GlueFiles {
    /// `None`: predict only.
    pub(crate) train: Option<PathBuf>,
    /// The files that are scored.
    pub(crate) dev: Vec<PathBuf>,
    /// The files that are predicted.
    pub(crate) test: Vec<PathBuf>,
}

fn as_text<S: serde::Serializer>(task: &TaskArg, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(task)
}

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
                        stages(args.do_train, args.do_eval),
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
                let task = TaskArg::Glue(task);
                settings(args, task, files(args, task)?, Some(&task.to_string()))
            });
            settings.collect()
        }
    }
}

/// Whether a folder has what a command needs that trains, or predicts only.
fn has_files(dir: &Path, task: GlueTask, (trains, _): (bool, bool)) -> bool {
    let is_there = |name: &str| dir.join(name).exists();
    match trains {
        true => is_there(task.train_file()),
        false => {
            let tests = task.test_files().iter().map(|test| test.file);
            task.dev_files().iter().copied().chain(tests).any(is_there)
        }
    }
}

fn settings(
    args: &TrainGlueArgs,
    task: TaskArg,
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

fn files(args: &TrainGlueArgs, task: TaskArg) -> anyhow::Result<GlueFiles> {
    let mut files = match &args.data_dir {
        Some(dir) => task_files(data_dir(dir)?, task)?,
        None if is_demo(args) => match task {
            TaskArg::Glue(_) => task_files(&demo_dir(&args.run.demo_dir)?.join("glue"), task)?,
            TaskArg::Csv => {
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

/// The files of a task in its folder, or in that folder's parent.
///
/// # Errors
/// When there are none.
pub(crate) fn task_files(dir: &Path, task: TaskArg) -> anyhow::Result<GlueFiles> {
    let TaskArg::Glue(task) = task else {
        return table_files(dir);
    };
    let in_folder = |dir: &Path| {
        let existing = |name: &str| Some(dir.join(name)).filter(|path| path.exists());
        GlueFiles {
            train: existing(task.train_file()),
            dev: task
                .dev_files()
                .iter()
                .filter_map(|name| existing(name))
                .collect(),
            test: task
                .test_files()
                .iter()
                .filter_map(|test| existing(test.file))
                .collect(),
        }
    };
    // The task's own folder first: a parent may hold files of the same names.
    for dir in [dir.join(task.folder()), dir.to_owned()] {
        let files = in_folder(&dir);
        if files.train.is_some() || !files.dev.is_empty() || !files.test.is_empty() {
            return Ok(files);
        }
    }
    bad_usage!(
        "{}: found neither {} nor {} here or in {}, expected the files of {task}",
        dir.display(),
        task.train_file(),
        task.dev_files().join(", "),
        task.folder()
    )
}

/// A folder of a user's own: `train`, `dev` and `test`, each `.csv` or `.tsv`.
fn table_files(dir: &Path) -> anyhow::Result<GlueFiles> {
    let existing = |stem: &str| {
        [format!("{stem}.csv"), format!("{stem}.tsv")]
            .into_iter()
            .map(|name| dir.join(name))
            .find(|path| path.exists())
    };
    let files = GlueFiles {
        train: existing("train"),
        dev: existing("dev").into_iter().collect(),
        test: existing("test").into_iter().collect(),
    };
    if files.train.is_none() && files.dev.is_empty() && files.test.is_empty() {
        bad_usage!(
            "{}: found none of train.csv, dev.csv and test.csv (or .tsv), expected at least one",
            dir.display()
        );
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
