//! The flags of the SWAG commands: names, meaning and defaults of `run_swag.py` 0.4.

use std::path::PathBuf;

use bert_datasets::swag::ChoiceColumns;
use clap::Args;

use super::glue::LabelColumnArg;
use super::run::{DeviceArgs, EvaluationArgs, SequenceArgs, TrainedSequenceArgs, TrainingArgs};
use super::squad::ContextColumnArg;

/// The endings' columns of a table of choices.
#[derive(Debug, Args)]
pub(crate) struct EndingColumnsArg {
    /// Columns of a table with the endings, in their order [default: ending0, ending1 and so on]
    #[arg(long, value_name = "NAME,NAME…", value_delimiter = ',')]
    pub(crate) ending_columns: Vec<String>,
}

impl EndingColumnsArg {
    /// These columns, the context's and the label's.
    pub(crate) fn asked(
        &self,
        context: &ContextColumnArg,
        label: &LabelColumnArg,
    ) -> ChoiceColumns {
        ChoiceColumns {
            context: context.context_column.clone(),
            endings: self.ending_columns.clone(),
            label: label.label_column.clone(),
        }
    }
}

/// The columns of a table of choices.
#[derive(Debug, Args)]
pub(crate) struct ChoiceColumnArgs {
    #[command(flatten)]
    context: ContextColumnArg,
    #[command(flatten)]
    endings: EndingColumnsArg,
    #[command(flatten)]
    label: LabelColumnArg,
}

impl ChoiceColumnArgs {
    /// The columns that are named.
    pub(crate) fn asked(&self) -> ChoiceColumns {
        self.endings.asked(&self.context, &self.label)
    }
}

/// `bert train-swag`
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES
  bert train-swag
      trains a small BERT from scratch on bundled demo data and scores it, a few minutes on a CPU
  bert train-swag --data-dir swagaf/data --bert-model bert-base-uncased --train-batch-size 16 \\
      --gradient-accumulation-steps 4 --learning-rate 2e-5 --num-train-epochs 3 \\
      --max-seq-length 80 --output-dir out/swag
      the published recipe for bert-base-uncased (accuracy 81)
  bert train-swag --train-file my.csv --eval-file held-out.csv --bert-model bert-base-uncased --output-dir out/my
      your own choices: a CSV or TSV file with the columns context, ending0, ending1 and so on (2 to 26), label,
      and, where you have them, start and id")]
pub(crate) struct TrainSwagArgs {
    /// Folder with train.csv and val.csv, and test.csv where its endings are to be predicted [default:
    /// the bundled demo data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// File to train on [default: train.csv in --data-dir]
    #[arg(long, value_name = "FILE")]
    pub(crate) train_file: Option<PathBuf>,
    /// File to score [default: val.csv in --data-dir]
    #[arg(long, value_name = "FILE", alias = "predict-file", alias = "dev-file")]
    pub(crate) eval_file: Option<PathBuf>,
    /// File whose endings are predicted [default: test.csv in --data-dir]
    #[arg(long, value_name = "FILE")]
    pub(crate) test_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) columns: ChoiceColumnArgs,
    /// Predict the first N examples of each test file only
    #[arg(long, value_name = "N")]
    pub(crate) max_predict_examples: Option<usize>,
    /// Train only, unless --do-eval is given too [default: what the files allow]
    #[arg(long)]
    pub(crate) do_train: bool,
    /// Score val.csv and predict test.csv only, with --bert-model's trained head, unless --do-train is
    /// given too
    #[arg(long, alias = "do-predict")]
    pub(crate) do_eval: bool,
    #[command(flatten)]
    pub(crate) training: TrainingArgs,
    #[command(flatten)]
    pub(crate) features: SequenceArgs,
    #[command(flatten)]
    pub(crate) evaluation: EvaluationArgs,
}

/// `bert predict-swag`
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES
  bert predict-swag --model out/swag --predict-file val.csv --output-dir out/choices
      predictions.jsonl, and the scores where the file has labels")]
pub(crate) struct PredictSwagArgs {
    /// Folder of a fine-tuned multiple-choice checkpoint, ours or `transformers`'
    #[arg(long, value_name = "DIR", alias = "bert-model")]
    pub(crate) model: PathBuf,
    /// SWAG CSV, or a table of your own choices, whose endings are chosen; scored where it has labels
    #[arg(long, value_name = "FILE", alias = "data")]
    pub(crate) predict_file: PathBuf,
    #[command(flatten)]
    pub(crate) columns: ChoiceColumnArgs,
    /// Folder for predictions.csv, predictions.jsonl and the scores
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

/// `bert features-swag`
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES
  bert features-swag --bert-model out/swag --data val.csv --max-seq-length 80
      an example a line, with the ids of its choices")]
pub(crate) struct FeaturesSwagArgs {
    /// Folder with vocab.txt or tokenizer.json
    #[arg(long, value_name = "DIR", alias = "model")]
    pub(crate) bert_model: PathBuf,
    /// SWAG CSV, or a table of your own choices, to convert
    #[arg(
        long,
        value_name = "FILE",
        alias = "predict-file",
        alias = "train-file"
    )]
    pub(crate) data: PathBuf,
    #[command(flatten)]
    pub(crate) columns: ChoiceColumnArgs,
    #[command(flatten)]
    pub(crate) features: TrainedSequenceArgs,
}
