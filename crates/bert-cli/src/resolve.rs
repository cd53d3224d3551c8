//! Arguments to settings: defaults, what follows from what, and what does not fit together.

use std::path::{Path, PathBuf};

use bert_features::squad::SquadFeatureConfig;
use bert_prediction::squad::SquadPredictionConfig;
use bert_training::batches::{BatchConfig, Padding};
use bert_training::optimizer::{BertAdamConfig, GradientClip, Residency};
use bert_training::{Schedule, TrainConfig};
use serde::Serialize;

use crate::args::{
    DeviceArgs, FeatureArgs, GradClipArg, PredictionArgs, ScheduleArg, TrainSquadArgs,
};
use crate::backend::{self, Backend, DeviceChoice};
use crate::exit::bad_usage;

/// A `train-squad` run with every setting decided. Its serialised form goes into `run.json`.
#[derive(Debug, Serialize)]
pub(crate) struct TrainSquadSettings {
    pub(crate) bert_model: PathBuf,
    pub(crate) from_scratch: bool,
    /// `None`: predict only.
    pub(crate) train_file: Option<PathBuf>,
    /// `None`: train only.
    pub(crate) predict_file: Option<PathBuf>,
    pub(crate) output_dir: PathBuf,
    pub(crate) overwrite_output_dir: bool,
    /// Score the model before training too.
    pub(crate) score_untrained: bool,
    pub(crate) max_train_examples: Option<usize>,
    pub(crate) seed: u64,
    pub(crate) recipe: Recipe,
    pub(crate) features: Features,
    pub(crate) prediction: Prediction,
    pub(crate) do_lower_case: bool,
    pub(crate) device: String,
    pub(crate) optimize_on_cpu: bool,
    #[serde(skip)]
    pub(crate) device_choice: DeviceChoice,
}

/// The numbers of a fine-tuning recipe.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Recipe {
    pub(crate) train_batch_size: usize,
    pub(crate) gradient_accumulation_steps: usize,
    pub(crate) learning_rate: f64,
    pub(crate) num_train_epochs: f64,
    pub(crate) warmup_proportion: f64,
    pub(crate) schedule: Schedule,
    pub(crate) grad_clip: GradientClip,
    /// `None`: to the longest row.
    pub(crate) pad_to: Option<usize>,
    pub(crate) pad_to_multiple_of: usize,
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

/// What differs between the bundled demo and `run_squad.py`'s defaults.
struct Defaults {
    train_batch_size: usize,
    learning_rate: f64,
    num_train_epochs: f64,
    warmup_proportion: f64,
    features: Features,
}

/// `run_squad.py` 0.4.
const SCRIPT: Defaults = Defaults {
    train_batch_size: 32,
    learning_rate: 5e-5,
    num_train_epochs: 3.0,
    warmup_proportion: 0.1,
    features: Features {
        max_seq_length: 384,
        doc_stride: 128,
        max_query_length: 64,
    },
};

/// Chosen by measurement for the bundled model, which is trained from scratch.
const DEMO: Defaults = Defaults {
    train_batch_size: 16,
    learning_rate: 2e-3,
    num_train_epochs: 8.0,
    warmup_proportion: 0.1,
    features: Features {
        max_seq_length: 192,
        doc_stride: 64,
        max_query_length: 32,
    },
};

/// Decides every setting of a `train-squad` run.
///
/// # Errors
/// When settings do not fit together, or one that has no support here is asked for.
pub(crate) fn train_squad(args: &TrainSquadArgs) -> anyhow::Result<TrainSquadSettings> {
    refuse_unsupported(args)?;
    let demo =
        args.bert_model.is_none() && args.train_file.is_none() && args.predict_file.is_none();
    let defaults = if demo { DEMO } else { SCRIPT };
    let features = features(&args.features, defaults.features);
    let files = if demo {
        demo_files(&args.demo_dir)?
    } else {
        given_files(args)?
    };
    let neither = !args.do_train && !args.do_predict;
    let train_file = files.train.filter(|_| args.do_train || neither);
    let predict_file = files.predict.filter(|_| args.do_predict || neither);
    if args.do_train && train_file.is_none() {
        bad_usage!("--do-train needs --train-file");
    }
    if args.do_predict && predict_file.is_none() {
        bad_usage!("--do-predict needs --predict-file");
    }
    if train_file.is_none() && predict_file.is_none() {
        bad_usage!("found neither --train-file nor --predict-file, expected at least one of them");
    }
    if args.from_scratch && train_file.is_none() {
        bad_usage!("--from-scratch needs --train-file: untrained weights predict nothing");
    }
    if args.max_train_examples == Some(0) {
        bad_usage!("--max-train-examples: found 0, expected at least 1");
    }
    if args.pad_to_multiple_of == 0 {
        bad_usage!("--pad-to-multiple-of: found 0, expected at least 1");
    }
    let device_choice = device(&args.device);
    let grad_clip = match args.grad_clip {
        GradClipArg::Tensor => GradientClip::PerTensor(args.max_grad_norm),
        GradClipArg::Global => GradientClip::Global(args.max_grad_norm),
        GradClipArg::None => GradientClip::Off,
    };
    Ok(TrainSquadSettings {
        bert_model: files.model,
        from_scratch: demo || args.from_scratch,
        score_untrained: demo,
        train_file,
        predict_file,
        overwrite_output_dir: args.overwrite_output_dir || (demo && args.output_dir.is_none()),
        output_dir: match (&args.output_dir, demo) {
            (Some(dir), _) => dir.clone(),
            (None, true) => PathBuf::from("out/squad-demo"),
            (None, false) => {
                bad_usage!("--output-dir is missing, expected the folder for the results")
            }
        },
        max_train_examples: args.max_train_examples,
        seed: args.seed,
        recipe: Recipe {
            train_batch_size: args.train_batch_size.unwrap_or(defaults.train_batch_size),
            gradient_accumulation_steps: args.gradient_accumulation_steps.unwrap_or(1),
            learning_rate: args.learning_rate.unwrap_or(defaults.learning_rate),
            num_train_epochs: args.num_train_epochs.unwrap_or(defaults.num_train_epochs),
            warmup_proportion: args.warmup_proportion.unwrap_or(defaults.warmup_proportion),
            schedule: match args.schedule {
                ScheduleArg::WarmupLinear => Schedule::WarmupLinear,
                ScheduleArg::Constant => Schedule::Constant,
                ScheduleArg::Cosine => Schedule::Cosine,
            },
            grad_clip,
            pad_to: args.pad_to_max_length.then_some(features.max_seq_length),
            pad_to_multiple_of: args.pad_to_multiple_of,
        },
        features,
        prediction: prediction(&args.prediction, device_choice)?,
        do_lower_case: args.features.do_lower_case,
        device: device_choice.to_string(),
        optimize_on_cpu: args.optimize_on_cpu,
        device_choice,
    })
}

fn refuse_unsupported(args: &TrainSquadArgs) -> anyhow::Result<()> {
    if args.fp16 || args.loss_scale.is_some() {
        bad_usage!("--fp16 and --loss-scale are not supported: training runs in fp32");
    }
    if let Some(rank) = args.local_rank.filter(|rank| *rank != -1) {
        bad_usage!("--local-rank: found {rank}, expected -1: training runs in one process");
    }
    Ok(())
}

struct Files {
    model: PathBuf,
    train: Option<PathBuf>,
    predict: Option<PathBuf>,
}

fn demo_files(dir: &Path) -> anyhow::Result<Files> {
    if !dir.is_dir() {
        bad_usage!(
            "{}: found no bundled demo data here; run from the repository, or give --bert-model and --train-file",
            dir.display()
        );
    }
    Ok(Files {
        model: dir.join("bert-small"),
        train: Some(dir.join("squad/train-v1.1.json")),
        predict: Some(dir.join("squad/dev-v1.1.json")),
    })
}

fn given_files(args: &TrainSquadArgs) -> anyhow::Result<Files> {
    let Some(model) = &args.bert_model else {
        bad_usage!("--bert-model is missing, expected a checkpoint's folder");
    };
    Ok(Files {
        model: checkpoint_dir(model)?,
        train: args.train_file.clone(),
        predict: args.predict_file.clone(),
    })
}

/// Checks that a checkpoint's folder is there.
///
/// # Errors
/// When it is not.
pub(crate) fn checkpoint_dir(path: &Path) -> anyhow::Result<PathBuf> {
    if !path.is_dir() {
        bad_usage!(
            "{}: found no such folder, expected a checkpoint with config.json, vocab.txt or tokenizer.json, and \
             model.safetensors or pytorch_model.bin (models are not downloaded by name)",
            path.display()
        );
    }
    Ok(path.to_owned())
}

/// Checks that an output folder is none or a folder.
///
/// # Errors
/// When it is a file.
pub(crate) fn check_is_folder(dir: &Path) -> anyhow::Result<()> {
    if dir.exists() && !dir.is_dir() {
        bad_usage!(
            "--output-dir {}: found a file, expected a folder",
            dir.display()
        );
    }
    Ok(())
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
    features(args, SCRIPT.features)
}

/// The prediction settings of a command.
///
/// # Errors
/// When a batch would be empty.
pub(crate) fn prediction(
    args: &PredictionArgs,
    device: DeviceChoice,
) -> anyhow::Result<Prediction> {
    let rows = match device {
        DeviceChoice::Cpu => 8,
        DeviceChoice::Cuda(_) => 64,
    };
    let predict_batch_size = args.predict_batch_size.unwrap_or(rows);
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

/// The device that a command names.
pub(crate) fn device(args: &DeviceArgs) -> DeviceChoice {
    match args.no_cuda {
        true => DeviceChoice::Cpu,
        false => args.device.unwrap_or_else(backend::default_device),
    }
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

impl TrainSquadSettings {
    /// How batches are made as wide as their rows.
    pub(crate) fn padding(&self) -> Padding {
        match self.recipe.pad_to {
            Some(width) => Padding::Fixed(width),
            None => Padding::Longest {
                multiple_of: self.recipe.pad_to_multiple_of,
            },
        }
    }

    /// The recipe on a backend.
    pub(crate) fn train_config(&self, backend: &Backend) -> TrainConfig {
        let residency = match (self.optimize_on_cpu, backend.residency) {
            (true, Residency::Device) => Residency::Host,
            (_, residency) => residency,
        };
        TrainConfig {
            num_train_epochs: self.recipe.num_train_epochs,
            batches: BatchConfig {
                batch_size: self.recipe.train_batch_size,
                accumulation: self.recipe.gradient_accumulation_steps,
                padding: self.padding(),
            },
            learning_rate: self.recipe.learning_rate,
            warmup_proportion: self.recipe.warmup_proportion,
            schedule: self.recipe.schedule,
            optimizer: BertAdamConfig {
                clip: self.recipe.grad_clip,
                ..BertAdamConfig::default()
            },
            residency,
            seed: self.seed,
            masks: backend.masks,
            read_every: backend.read_every,
        }
    }
}
