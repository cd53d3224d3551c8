//! SWAG: files and rows.

use std::path::PathBuf;

use bert_features::swag::DEFAULT_MAX_SEQ_LENGTH;
use bert_finetune::Settings;
use bert_tasks::swag::SwagSettings;

use super::{
    FamilyChoice, TrainingArgs, compute, data_dir, demo_dir, eval_batch_size, run_settings, stages,
};
use crate::args::TrainSwagArgs;
use crate::config;
use crate::exit::bad_usage;

/// Decides every setting of a `train-swag` run.
///
/// # Errors
/// When settings do not fit together, a file is missing, or a setting that has no support here is asked for.
pub(crate) fn train_swag(args: &TrainSwagArgs) -> anyhow::Result<Settings<SwagSettings>> {
    let demo = args.data_dir.is_none();
    let demo_data = args.run.demo_dir.join("swag");
    let dir = match &args.data_dir {
        Some(dir) => data_dir(dir)?,
        None => {
            demo_dir(&args.run.demo_dir)?;
            &demo_data
        }
    };
    let existing = |name: &str| Some(dir.join(name)).filter(|path| path.exists());
    let (trains, predicts) = stages(args.do_train, args.do_eval);
    let train_file = existing("train.csv").filter(|_| trains);
    let eval_file = existing("val.csv").filter(|_| predicts);
    let test_file = existing("test.csv").filter(|_| predicts);
    if args.do_train && train_file.is_none() {
        bad_usage!(
            "{}: found no train.csv, expected it for --do-train",
            dir.display()
        );
    }
    if args.do_eval && eval_file.is_none() && test_file.is_none() {
        bad_usage!(
            "{}: found neither val.csv nor test.csv, expected one of them for --do-eval",
            dir.display()
        );
    }
    if train_file.is_none() && eval_file.is_none() && test_file.is_none() {
        bad_usage!(
            "{}: found none of train.csv, val.csv and test.csv, expected SWAG's data folder",
            dir.display()
        );
    }
    let max_seq_length = args.features.max_seq_length.unwrap_or(match demo {
        true => config::demo("train-swag").max_seq_length,
        false => DEFAULT_MAX_SEQ_LENGTH,
    });
    let family = FamilyChoice {
        demo,
        trains: train_file.is_some(),
        demo_model: args.run.demo_dir.join("bert-small"),
        demo_output_dir: PathBuf::from("out/swag-demo"),
        demo_recipe: config::demo("train-swag"),
        max_seq_length,
        do_lower_case: args.features.do_lower_case,
    };
    let run = run_settings(&training_args(args), family)?;
    let own = SwagSettings {
        train_file,
        eval_file,
        test_file,
        max_seq_length,
        eval_batch_size: eval_batch_size(&args.evaluation, compute(&args.device.device)?.device)?,
    };
    Ok(Settings { run, own })
}

fn training_args(args: &TrainSwagArgs) -> TrainingArgs<'_> {
    TrainingArgs {
        run: &args.run,
        recipe: &args.recipe,
        checkpoints: &args.checkpoints,
        device: &args.device,
    }
}
