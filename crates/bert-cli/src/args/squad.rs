//! The flags of the SQuAD commands: names, meaning and defaults of `run_squad.py` 0.4.

use std::path::PathBuf;

use bert_datasets::squad::QuestionColumns;
use bert_features::squad::{DocStride, SquadFeatureConfig};
use bert_prediction::squad::SquadPredictionConfig;
use clap::Args;

use super::run::{CasingArgs, DeviceArgs, TrainingArgs};

/// How contexts become windows, where a trained model is used.
#[derive(Debug, Args)]
#[command(next_help_heading = "Features")]
pub(crate) struct TrainedWindowArgs {
    /// Longest input sequence, in tokens; longer contexts are cut into windows [default: that of the model's training,
    /// else 384, or what the model can read]
    #[arg(long, value_name = "TOKENS")]
    pub(crate) max_seq_length: Option<usize>,
    /// Context tokens between the starts of consecutive windows, not their overlap [default: that of the model's
    /// training, else 128]
    #[arg(long, value_name = "TOKENS")]
    pub(crate) doc_stride: Option<usize>,
    /// What --doc-stride counts: distance, or overlap as in `run_qa.py` of `transformers` [default: distance with
    /// --doc-stride, else that of the model's training]
    #[arg(long, value_enum, value_name = "WHAT", hide_possible_values = true)]
    pub(crate) doc_stride_is: Option<DocStride>,
    /// Tokens of a question that are kept [default: that of the model's training, else 64]
    #[arg(long, value_name = "TOKENS")]
    pub(crate) max_query_length: Option<usize>,
}

/// How logits become answers.
#[derive(Debug, Args)]
#[command(next_help_heading = "Prediction")]
pub(crate) struct PredictionArgs {
    /// Windows in a prediction batch [default: 8 on the CPU, 16 on wgpu, 64 on CUDA]
    #[arg(long, value_name = "WINDOWS")]
    pub(crate) predict_batch_size: Option<usize>,
    #[command(flatten)]
    pub(crate) answers: SquadPredictionConfig,
}

/// The context's column of a table.
#[derive(Debug, Args)]
pub(crate) struct ContextColumnArg {
    /// Column of a table with the context [default: context]
    #[arg(long, value_name = "NAME")]
    pub(crate) context_column: Option<String>,
}

/// The other columns of flat rows of questions.
#[derive(Debug, Args)]
pub(crate) struct AnswerColumnArgs {
    /// Column of flat rows with the question [default: question]
    #[arg(long, value_name = "NAME")]
    pub(crate) question_column: Option<String>,
    /// Column of flat rows with the answers [default: answers]
    #[arg(long, value_name = "NAME", alias = "answer-column")]
    pub(crate) answers_column: Option<String>,
}

impl AnswerColumnArgs {
    /// These columns, and the context's.
    pub(crate) fn asked(&self, context: &ContextColumnArg) -> QuestionColumns {
        QuestionColumns {
            context: context.context_column.clone(),
            question: self.question_column.clone(),
            answers: self.answers_column.clone(),
        }
    }
}

/// The columns of flat rows of questions.
#[derive(Debug, Args)]
pub(crate) struct QuestionColumnArgs {
    #[command(flatten)]
    context: ContextColumnArg,
    #[command(flatten)]
    answers: AnswerColumnArgs,
}

impl QuestionColumnArgs {
    /// The columns that are named.
    pub(crate) fn asked(&self) -> QuestionColumns {
        self.answers.asked(&self.context)
    }
}

/// `bert train-squad`
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES
  bert train-squad
      fine-tunes a small bundled BERT on bundled demo data and scores it, a few minutes on a CPU
  bert train-squad --bert-model bert-base-uncased --train-file train-v1.1.json --predict-file dev-v1.1.json \\
      --train-batch-size 12 --learning-rate 3e-5 --num-train-epochs 2 --output-dir out/squad
      the published recipe for bert-base-uncased (EM 81, F1 88)")]
pub(crate) struct TrainSquadArgs {
    /// Questions to train on, in SQuAD JSON or flat rows [default: the bundled demo data]
    #[arg(long, value_name = "FILE")]
    pub(crate) train_file: Option<PathBuf>,
    /// Questions to answer after training, in SQuAD JSON or flat rows; scored where they have answers
    #[arg(long, value_name = "FILE")]
    pub(crate) predict_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) columns: QuestionColumnArgs,
    /// Train only, unless --do-predict is given too [default: what the files given allow]
    #[arg(long)]
    pub(crate) do_train: bool,
    /// Predict only, with --bert-model's trained head, unless --do-train is given too
    #[arg(long)]
    pub(crate) do_predict: bool,
    #[command(flatten)]
    pub(crate) training: TrainingArgs,
    #[command(flatten)]
    pub(crate) features: SquadFeatureConfig,
    #[command(flatten)]
    pub(crate) casing: CasingArgs,
    #[command(flatten)]
    pub(crate) prediction: PredictionArgs,
}

/// `bert predict-squad`
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES
  bert predict-squad --model out/squad --predict-file dev-v1.1.json --output-dir out/answers
      predictions.json, nbest_predictions.json and, where the file has answers, their scores")]
pub(crate) struct PredictSquadArgs {
    /// Folder of a fine-tuned question-answering checkpoint, ours or `transformers`'
    #[arg(long, value_name = "DIR", alias = "bert-model")]
    pub(crate) model: PathBuf,
    /// Questions to answer, in SQuAD JSON or flat rows; scored where they have answers
    #[arg(long, value_name = "FILE", alias = "data")]
    pub(crate) predict_file: PathBuf,
    #[command(flatten)]
    pub(crate) columns: QuestionColumnArgs,
    /// Folder for predictions.json, nbest_predictions.json and the scores
    #[arg(long, value_name = "DIR")]
    pub(crate) output_dir: PathBuf,
    #[command(flatten)]
    pub(crate) windows: TrainedWindowArgs,
    #[command(flatten)]
    pub(crate) casing: CasingArgs,
    #[command(flatten)]
    pub(crate) prediction: PredictionArgs,
    #[command(flatten)]
    pub(crate) device: DeviceArgs,
    /// Log details
    #[arg(long)]
    pub(crate) verbose_logging: bool,
}

/// `bert evaluate-squad`
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES
  bert evaluate-squad --data dev-v1.1.json --predictions out/answers/predictions.json
      one JSON object with the official scores
  bert evaluate-squad --data dev-v2.0.json --predictions out/predictions.json --null-odds out/null_odds.json
      SQuAD 2.0: best_exact, best_f1 and their thresholds too")]
pub(crate) struct EvaluateSquadArgs {
    /// Answers, in SQuAD JSON or flat rows; their version says the metrics
    #[arg(long, value_name = "FILE", alias = "predict-file")]
    pub(crate) data: PathBuf,
    #[command(flatten)]
    pub(crate) columns: QuestionColumnArgs,
    /// JSON object of question id to predicted text
    #[arg(long, value_name = "FILE")]
    pub(crate) predictions: PathBuf,
    /// JSON object of question id to the odds of "no answer", such as null_odds.json: prints the best thresholds on
    /// them too, as the official script of SQuAD 2.0 does
    #[arg(long, value_name = "FILE", alias = "na-prob-file")]
    pub(crate) null_odds: Option<PathBuf>,
    /// Odds above which a prediction is scored as "no answer" [default: 1, as in the official script]
    #[arg(
        long,
        value_name = "ODDS",
        requires = "null_odds",
        allow_negative_numbers = true
    )]
    pub(crate) na_prob_thresh: Option<f64>,
}

/// `bert features-squad`
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES
  bert features-squad --bert-model out/squad --data train-v1.1.json --training > features.jsonl
      a window a line; with --training only those that hold the whole answer")]
pub(crate) struct FeaturesSquadArgs {
    /// Folder with vocab.txt or tokenizer.json
    #[arg(long, value_name = "DIR", alias = "model")]
    pub(crate) bert_model: PathBuf,
    /// Questions to convert, in SQuAD JSON or flat rows
    #[arg(
        long,
        value_name = "FILE",
        alias = "predict-file",
        alias = "train-file"
    )]
    pub(crate) data: PathBuf,
    #[command(flatten)]
    pub(crate) columns: QuestionColumnArgs,
    /// Keep only windows that contain the whole answer and give its token positions
    #[arg(long)]
    pub(crate) training: bool,
    #[command(flatten)]
    pub(crate) windows: TrainedWindowArgs,
    #[command(flatten)]
    pub(crate) casing: CasingArgs,
}
