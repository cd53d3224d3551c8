//! The flags of the GLUE commands: names, meaning and defaults of `run_classifier.py` 0.4.

use std::path::PathBuf;
use std::str::FromStr;

use bert_datasets::glue::{self, GlueTask};
use bert_tasks::glue::TextTask;
use clap::Args;

use super::run::{DeviceArgs, EvaluationArgs, SequenceArgs, TrainedSequenceArgs, TrainingArgs};

/// The help of a flag that takes a task of GLUE.
fn task_help(before: &str, after: &str) -> String {
    let names: Vec<&str> = glue::TASKS.iter().map(|task| task.name).collect();
    match names.split_last() {
        Some((last, others)) => format!("{before}{} or {last}{after}", others.join(", ")),
        None => format!("{before}{after}"),
    }
}

/// `--task` of a training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TrainTaskArg {
    /// One task.
    One(TextTask),
    /// Every GLUE task whose folder is there.
    All,
}

impl FromStr for TrainTaskArg {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        if name.eq_ignore_ascii_case("all") {
            return Ok(Self::All);
        }
        name.parse()
            .map(Self::One)
            .map_err(|error: String| format!("{error}, or all"))
    }
}

/// The columns of a table of one's own.
#[derive(Debug, Args)]
pub(crate) struct ColumnArgs {
    /// Column of a table with the text [default: text, sentence, or another common name]
    #[arg(long, value_name = "NAME")]
    pub(crate) text_column: Option<String>,
    /// Column of a table with the second text of a pair [default: text_b, sentence2, or another common name]
    #[arg(long, value_name = "NAME")]
    pub(crate) text_pair_column: Option<String>,
    #[command(flatten)]
    pub(crate) label: LabelColumnArg,
    /// Columns of a table that say with 1 or 0 which labels a row has; a row may have several, or none
    #[arg(
        long,
        value_name = "NAME,NAME…",
        value_delimiter = ',',
        conflicts_with = "label_column"
    )]
    pub(crate) label_columns: Vec<String>,
}

/// The label's column of a table.
#[derive(Debug, Args)]
pub(crate) struct LabelColumnArg {
    /// Column of a table with the label [default: label, or another common name]
    #[arg(long, value_name = "NAME")]
    pub(crate) label_column: Option<String>,
}

/// `bert train-glue`
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES
  bert train-glue --task mrpc
      trains a small BERT from scratch on bundled demo data and scores it, a minute on a CPU
  bert train-glue --task mrpc --data-dir glue_data/MRPC --bert-model bert-base-uncased --learning-rate 2e-5 \\
      --output-dir out/mrpc
      the published recipe for bert-base-uncased (F1 89, accuracy 84)
  bert train-glue --task all --data-dir glue_data --bert-model bert-base-uncased --output-dir out/glue
      every task whose folder is in glue_data, and one table at the end
  bert train-glue --task csv --train-file my.csv --eval-file held-out.csv --bert-model bert-base-uncased \\
      --output-dir out/my
      your own texts: a CSV, TSV or JSON Lines file with the columns text and label, and text_b for pairs")]
pub(crate) struct TrainGlueArgs {
    #[arg(long, value_name = "TASK", alias = "task-name", help = task_help("", "; all; or csv"))]
    pub(crate) task: TrainTaskArg,
    /// The task's folder of the GLUE download, or the folder above it; for csv, a folder with train, dev
    /// and test as .csv or .tsv [default: the bundled demo data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// File to train on [default: the one in --data-dir]
    #[arg(long, value_name = "FILE")]
    pub(crate) train_file: Option<PathBuf>,
    /// File to score; may be repeated [default: those in --data-dir]
    #[arg(long, value_name = "FILE", alias = "predict-file", alias = "dev-file")]
    pub(crate) eval_file: Vec<PathBuf>,
    /// File without labels to predict; may be repeated [default: those in --data-dir]
    #[arg(long, value_name = "FILE")]
    pub(crate) test_file: Vec<PathBuf>,
    /// Predict the first N examples of each test file only
    #[arg(long, value_name = "N")]
    pub(crate) max_predict_examples: Option<usize>,
    /// Train only, unless --do-eval is given too [default: what the files allow]
    #[arg(long)]
    pub(crate) do_train: bool,
    /// Score and predict only, with --bert-model's trained head, unless --do-train is given too
    #[arg(long, alias = "do-predict")]
    pub(crate) do_eval: bool,
    #[command(flatten)]
    pub(crate) columns: ColumnArgs,
    /// The labels of a table are numbers to predict, not classes
    #[arg(long)]
    pub(crate) regression: bool,
    /// A row of a table may have several labels, or none: all in the label's column, or in --label-columns
    #[arg(long)]
    pub(crate) multi_label: bool,
    /// Character between the labels of a row, with --multi-label [default: a semicolon]
    #[arg(long, value_name = "CHARACTER")]
    pub(crate) label_separator: Option<char>,
    /// Find the probability above which a text has a label on the development file: the one with the best micro F1
    /// [default: 0.5]
    #[arg(long)]
    pub(crate) find_label_threshold: bool,
    /// What an example of each class counts in the loss: balanced (all classes count alike), or a JSON file with a number
    /// for each class
    #[arg(long, value_name = "balanced|FILE")]
    pub(crate) class_weights: Option<PathBuf>,
    /// Share of an example's target that is spread over all classes
    #[arg(
        long,
        value_name = "SHARE",
        default_value_t = 0.0,
        allow_negative_numbers = true
    )]
    pub(crate) label_smoothing: f64,
    #[command(flatten)]
    pub(crate) training: TrainingArgs,
    #[command(flatten)]
    pub(crate) features: SequenceArgs,
    #[command(flatten)]
    pub(crate) evaluation: EvaluationArgs,
}

/// `bert predict-glue`
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES
  bert predict-glue --model out/mrpc --data-dir glue_data/MRPC --output-dir out/labels
      the task's development and test files: predictions, scores and the leaderboard's file
  bert predict-glue --model DIR --task sst-2 --labels negative,positive --predict-file reviews.tsv \\
      --output-dir out/labels
      a checkpoint that names neither its task nor its labels")]
pub(crate) struct PredictGlueArgs {
    /// Folder of a fine-tuned sequence-classification checkpoint, ours or `transformers`'
    #[arg(long, value_name = "DIR", alias = "bert-model")]
    pub(crate) model: PathBuf,
    /// File to predict; scored where it has labels
    #[arg(
        long,
        value_name = "FILE",
        alias = "data",
        required_unless_present = "data_dir",
        conflicts_with = "data_dir"
    )]
    pub(crate) predict_file: Option<PathBuf>,
    /// The task's folder of the GLUE download, or the folder above it: its development and test files
    /// are predicted
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// The layout of the files: a GLUE task's, or csv [default: the task that config.json names]
    #[arg(long, value_name = "TASK", alias = "task-name")]
    pub(crate) task: Option<TextTask>,
    /// What the checkpoint's classes mean, in its order, where its config.json does not say
    #[arg(long, value_name = "NAME,NAME…", value_delimiter = ',')]
    pub(crate) labels: Vec<String>,
    #[command(flatten)]
    pub(crate) columns: ColumnArgs,
    /// Character between the labels of a row, for a model of several labels a text [default: a semicolon]
    #[arg(long, value_name = "CHARACTER")]
    pub(crate) label_separator: Option<char>,
    /// Folder for the predictions and the scores
    #[arg(long, value_name = "DIR")]
    pub(crate) output_dir: PathBuf,
    /// Log details
    #[arg(long)]
    pub(crate) verbose_logging: bool,
    #[command(flatten)]
    pub(crate) features: TrainedSequenceArgs,
    #[command(flatten)]
    pub(crate) evaluation: EvaluationArgs,
    #[command(flatten)]
    pub(crate) device: DeviceArgs,
}

/// `bert features-glue`
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES
  bert features-glue --bert-model out/mrpc --task mrpc --data glue_data/MRPC/dev.tsv
      an example a line")]
pub(crate) struct FeaturesGlueArgs {
    /// Folder with vocab.txt or tokenizer.json
    #[arg(long, value_name = "DIR", alias = "model")]
    pub(crate) bert_model: PathBuf,
    #[arg(long, value_name = "TASK", alias = "task-name", help = task_help("The layout of the file: ", ""))]
    pub(crate) task: &'static GlueTask,
    /// File of the GLUE download to convert
    #[arg(
        long,
        value_name = "FILE",
        alias = "predict-file",
        alias = "train-file",
        alias = "eval-file"
    )]
    pub(crate) data: PathBuf,
    #[command(flatten)]
    pub(crate) features: TrainedSequenceArgs,
}
