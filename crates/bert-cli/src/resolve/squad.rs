//! SQuAD: files, windows and answers.

use bert_backend::DeviceChoice;
use bert_finetune::{Settings, TaskSettings};
use bert_tasks::squad::{SquadPrediction, SquadSettings};

use super::{check_inputs, run_settings, stages};
use crate::args::{PredictionArgs, TrainSquadArgs};
use crate::exit::bad_usage;

/// Decides every setting of a `train-squad` run.
///
/// # Errors
/// When settings do not fit together, or one that is not supported is asked for.
pub(crate) fn train_squad(args: &TrainSquadArgs) -> anyhow::Result<Settings> {
    let (trains, predicts) = stages(args.do_train, args.do_predict);
    let train_file = args.train_file.clone().filter(|_| trains);
    let predict_file = args.predict_file.clone().filter(|_| predicts);
    if args.do_train && train_file.is_none() {
        bad_usage!("--do-train needs --train-file");
    }
    let splits = args.training.run.validation_split.is_some();
    if args.do_predict && predict_file.is_none() && !splits {
        bad_usage!("--do-predict needs --predict-file");
    }
    if train_file.is_none() && predict_file.is_none() {
        bad_usage!(
            "found neither --train-file nor --predict-file, expected at least one of them, or SQuAD among the downloads \
             (`cargo xtask download squad`)"
        );
    }
    check_inputs(train_file.iter().chain(&predict_file))?;
    let run = run_settings(
        &args.training,
        train_file.is_some(),
        args.casing.do_lower_case,
    )?;
    let own = SquadSettings {
        train_file,
        predict_file,
        columns: args.columns.asked(),
        features: args.features,
        prediction: prediction(&args.prediction, run.compute.device)?,
    };
    let task = TaskSettings::TrainSquad(own);
    Ok(Settings { run, task })
}

/// The prediction settings of a command.
///
/// # Errors
/// When a batch would be empty.
pub(crate) fn prediction(
    args: &PredictionArgs,
    device: DeviceChoice,
) -> anyhow::Result<SquadPrediction> {
    let own = args.predict_batch_size;
    let predict_batch_size = own.unwrap_or(device.kind().eval_batch_size);
    if predict_batch_size == 0 {
        bad_usage!("--predict-batch-size: found 0, expected at least 1");
    }
    Ok(SquadPrediction {
        predict_batch_size,
        answers: args.answers,
    })
}
