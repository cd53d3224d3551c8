//! SWAG: files and rows.

use bert_finetune::{Settings, TaskSettings};
use bert_tasks::swag::SwagSettings;

use super::{check_inputs, data_dir, eval_batch_size, run_settings, stages};
use crate::args::TrainSwagArgs;
use crate::exit::bad_usage;

/// Decides every setting of a `train-swag` run.
///
/// # Errors
/// When settings do not fit together, a file is missing, or a setting that is not supported is asked for.
pub(crate) fn train_swag(args: &TrainSwagArgs) -> anyhow::Result<Settings> {
    let dir = args.data_dir.as_deref().map(data_dir).transpose()?;
    let file = |given: &Option<std::path::PathBuf>, name: &str| {
        let in_dir = || Some(dir?.join(name)).filter(|path| path.exists());
        given.clone().or_else(in_dir)
    };
    let place = dir.map_or_else(String::new, |dir| format!("{}: ", dir.display()));
    let (trains, predicts) = stages(args.do_train, args.do_eval);
    let train_file = file(&args.train_file, "train.csv").filter(|_| trains);
    let eval_file = file(&args.eval_file, "val.csv").filter(|_| predicts);
    let test_file = file(&args.test_file, "test.csv").filter(|_| predicts);
    if args.do_train && train_file.is_none() {
        bad_usage!("{place}found no train.csv, expected it, or --train-file, for --do-train");
    }
    let splits = args.training.run.validation_split.is_some();
    if args.do_eval && eval_file.is_none() && test_file.is_none() && !splits {
        bad_usage!("{place}found neither val.csv nor test.csv, expected one of them for --do-eval");
    }
    if train_file.is_none() && eval_file.is_none() && test_file.is_none() {
        bad_usage!(
            "{place}found none of train.csv, val.csv and test.csv, expected SWAG's data folder as --data-dir"
        );
    }
    check_inputs([&train_file, &eval_file, &test_file].into_iter().flatten())?;
    let casing = &args.features.casing;
    let mut run = run_settings(&args.training, train_file.is_some(), casing.do_lower_case)?;
    run.max_predict_examples = args.max_predict_examples;
    run.validate()?;
    let own = SwagSettings {
        train_file,
        eval_file,
        test_file,
        columns: args.columns.asked(),
        max_seq_length: args.features.max_seq_length,
        eval_batch_size: eval_batch_size(&args.evaluation, run.compute.device)?,
    };
    let task = TaskSettings::TrainSwag(own);
    Ok(Settings { run, task })
}
