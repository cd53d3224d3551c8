//! SQuAD: files, windows and answers.

use std::path::PathBuf;

use bert_backend::DeviceChoice;
use bert_features::squad::SquadFeatureConfig;
use bert_finetune::Settings;
use bert_prediction::squad::SquadPredictionConfig;
use bert_tasks::squad::{SquadPrediction, SquadSettings};

use super::{FamilyChoice, TrainingArgs, compute, demo_dir, run_settings, stages};
use crate::args::{FeatureArgs, PredictionArgs, TrainSquadArgs};
use crate::config;
use crate::exit::bad_usage;

/// Decides every setting of a `train-squad` run.
///
/// # Errors
/// When settings do not fit together, or one that has no support here is asked for.
pub(crate) fn train_squad(args: &TrainSquadArgs) -> anyhow::Result<Settings<SquadSettings>> {
    let demo =
        args.run.bert_model.is_none() && args.train_file.is_none() && args.predict_file.is_none();
    let defaults = if demo {
        let demo = config::demo("train-squad");
        SquadFeatureConfig {
            max_seq_length: demo.max_seq_length,
            doc_stride: demo.doc_stride,
            max_query_length: demo.max_query_length,
        }
    } else {
        SquadFeatureConfig::default()
    };
    let features = features(&args.features, defaults);
    let (train_file, predict_file) = if demo {
        let dir = demo_dir(&args.run.demo_dir)?.join("squad");
        (
            Some(dir.join("train-v1.1.json")),
            Some(dir.join("dev-v1.1.json")),
        )
    } else {
        (args.train_file.clone(), args.predict_file.clone())
    };
    let (trains, predicts) = stages(args.do_train, args.do_predict);
    let train_file = train_file.filter(|_| trains);
    let predict_file = predict_file.filter(|_| predicts);
    if args.do_train && train_file.is_none() {
        bad_usage!("--do-train needs --train-file");
    }
    if args.do_predict && predict_file.is_none() {
        bad_usage!("--do-predict needs --predict-file");
    }
    if train_file.is_none() && predict_file.is_none() {
        bad_usage!(
            "found neither --train-file nor --predict-file, expected at least one of them, or SQuAD among the downloads \
             (`cargo xtask download squad`)"
        );
    }
    for file in train_file.iter().chain(&predict_file) {
        config::check_downloaded(file)?;
    }
    let family = FamilyChoice {
        demo,
        trains: train_file.is_some(),
        demo_model: args.run.demo_dir.join("bert-small"),
        demo_output_dir: PathBuf::from("out/squad-demo"),
        demo_recipe: config::demo("train-squad"),
        max_seq_length: features.max_seq_length,
        do_lower_case: args.features.do_lower_case,
    };
    let run = run_settings(&training_args(args), family)?;
    Ok(Settings {
        own: SquadSettings {
            train_file,
            predict_file,
            features,
            prediction: prediction(&args.prediction, compute(&args.device.device)?.device)?,
        },
        run,
    })
}

fn features(args: &FeatureArgs, defaults: SquadFeatureConfig) -> SquadFeatureConfig {
    SquadFeatureConfig {
        max_seq_length: args.max_seq_length.unwrap_or(defaults.max_seq_length),
        doc_stride: args.doc_stride.unwrap_or(defaults.doc_stride),
        max_query_length: args.max_query_length.unwrap_or(defaults.max_query_length),
    }
}

/// The window settings of a command other than training.
pub(crate) fn script_features(args: &FeatureArgs) -> SquadFeatureConfig {
    features(args, SquadFeatureConfig::default())
}

/// The prediction settings of a command.
///
/// # Errors
/// When a batch would be empty.
pub(crate) fn prediction(
    args: &PredictionArgs,
    device: DeviceChoice,
) -> anyhow::Result<SquadPrediction> {
    let predict_batch_size = args
        .predict_batch_size
        .unwrap_or(device.kind().eval_batch_size);
    if predict_batch_size == 0 {
        bad_usage!("--predict-batch-size: found 0, expected at least 1");
    }
    Ok(SquadPrediction {
        predict_batch_size,
        answers: SquadPredictionConfig {
            n_best_size: args.n_best_size,
            max_answer_length: args.max_answer_length,
            version_2_with_negative: args.version_2_with_negative,
            null_score_diff_threshold: args.null_score_diff_threshold,
        },
    })
}

fn training_args(args: &TrainSquadArgs) -> TrainingArgs<'_> {
    TrainingArgs {
        run: &args.run,
        recipe: &args.recipe,
        checkpoints: &args.checkpoints,
        device: &args.device,
    }
}
