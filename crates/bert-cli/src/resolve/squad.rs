//! SQuAD: files, windows and answers.

use std::path::PathBuf;

use bert_features::squad::SquadFeatureConfig;
use bert_prediction::squad::SquadPredictionConfig;
use serde::Serialize;

use super::{
    FamilyChoice, Settings, TrainingArgs, compute, default_batch_size, demo_dir, run_settings,
    stages,
};
use crate::args::{FeatureArgs, PredictionArgs, TrainSquadArgs};
use crate::backend::DeviceChoice;
use crate::config;
use crate::exit::bad_usage;

/// What `train-squad` has beside what every training has.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SquadSettings {
    /// `None`: predict only.
    pub(crate) train_file: Option<PathBuf>,
    /// `None`: train only.
    pub(crate) predict_file: Option<PathBuf>,
    pub(crate) features: Features,
    pub(crate) prediction: Prediction,
}

/// How contexts become windows, in tokens.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Features {
    pub(crate) max_seq_length: usize,
    pub(crate) doc_stride: usize,
    pub(crate) max_query_length: usize,
}

/// How logits become answers.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Prediction {
    pub(crate) predict_batch_size: usize,
    pub(crate) n_best_size: usize,
    pub(crate) max_answer_length: usize,
    pub(crate) version_2_with_negative: bool,
    pub(crate) null_score_diff_threshold: f32,
}

/// `run_squad.py` 0.4.
const SCRIPT_FEATURES: Features = Features {
    max_seq_length: 384,
    doc_stride: 128,
    max_query_length: 64,
};

/// Decides every setting of a `train-squad` run.
///
/// # Errors
/// When settings do not fit together, or one that has no support here is asked for.
pub(crate) fn train_squad(args: &TrainSquadArgs) -> anyhow::Result<Settings<SquadSettings>> {
    let demo =
        args.run.bert_model.is_none() && args.train_file.is_none() && args.predict_file.is_none();
    let defaults = match (demo, config::demo("train-squad")) {
        (true, demo) => Features {
            max_seq_length: demo.max_seq_length,
            doc_stride: demo.doc_stride,
            max_query_length: demo.max_query_length,
        },
        (false, _) => SCRIPT_FEATURES,
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

fn features(args: &FeatureArgs, defaults: Features) -> Features {
    Features {
        max_seq_length: args.max_seq_length.unwrap_or(defaults.max_seq_length),
        doc_stride: args.doc_stride.unwrap_or(defaults.doc_stride),
        max_query_length: args.max_query_length.unwrap_or(defaults.max_query_length),
    }
}

/// The window settings of a command other than training.
pub(crate) fn script_features(args: &FeatureArgs) -> Features {
    features(args, SCRIPT_FEATURES)
}

/// The prediction settings of a command.
///
/// # Errors
/// When a batch would be empty.
pub(crate) fn prediction(
    args: &PredictionArgs,
    device: DeviceChoice,
) -> anyhow::Result<Prediction> {
    let predict_batch_size = args
        .predict_batch_size
        .unwrap_or_else(|| default_batch_size(device));
    if predict_batch_size == 0 {
        bad_usage!("--predict-batch-size: found 0, expected at least 1");
    }
    Ok(Prediction {
        predict_batch_size,
        n_best_size: args.n_best_size,
        max_answer_length: args.max_answer_length,
        version_2_with_negative: args.version_2_with_negative,
        null_score_diff_threshold: args.null_score_diff_threshold,
    })
}

impl Features {
    pub(crate) fn config(self) -> SquadFeatureConfig {
        SquadFeatureConfig {
            max_seq_length: self.max_seq_length,
            doc_stride: self.doc_stride,
            max_query_length: self.max_query_length,
        }
    }
}

impl Prediction {
    pub(crate) fn config(self) -> SquadPredictionConfig {
        SquadPredictionConfig {
            n_best_size: self.n_best_size,
            max_answer_length: self.max_answer_length,
            version_2_with_negative: self.version_2_with_negative,
            null_score_diff_threshold: self.null_score_diff_threshold,
        }
    }
}

fn training_args(args: &TrainSquadArgs) -> TrainingArgs<'_> {
    TrainingArgs {
        run: &args.run,
        recipe: &args.recipe,
        checkpoints: &args.checkpoints,
        device: &args.device,
    }
}
