//! The flags of `bert check`.

use std::path::PathBuf;
use std::str::FromStr;

use bert_tasks::check::CheckedTask;
use clap::Args;

use super::glue::ColumnArgs;
use super::run::CasingArgs;
use super::squad::{AnswerColumnArgs, ContextColumnArg};
use super::swag::EndingColumnsArg;

/// `--task`, with the families that have one only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CheckedTaskArg(pub(crate) CheckedTask);

impl FromStr for CheckedTaskArg {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Ok(Self(match name.to_lowercase().as_str() {
            "squad" => CheckedTask::Squad,
            "swag" => CheckedTask::Swag,
            _ => {
                let task = name.parse().map(CheckedTask::Text);
                task.map_err(|error: String| format!("{error}, squad or swag"))?
            }
        }))
    }
}

/// `bert check`
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES
  bert check --bert-model bert-base-uncased --task csv --train-file train.csv --eval-file held-out.csv
      sizes, labels, lengths in tokens, repeated rows, and rows that are in both files
  bert check --bert-model bert-base-uncased --task squad --train-file train.json --json
      the same for questions, as JSON")]
pub(crate) struct CheckArgs {
    /// Checkpoint whose vocabulary is used: a folder, or a name on the Hugging Face hub
    #[arg(long, value_name = "DIR|NAME", alias = "model")]
    pub(crate) bert_model: PathBuf,
    /// What the rows are: squad, swag, csv for a table of your own, or a GLUE task
    #[arg(long, value_name = "TASK", alias = "task-name")]
    pub(crate) task: CheckedTaskArg,
    /// File to train on
    #[arg(long, value_name = "FILE")]
    pub(crate) train_file: PathBuf,
    /// File to score
    #[arg(
        long,
        value_name = "FILE",
        alias = "predict-file",
        alias = "validation-file"
    )]
    pub(crate) eval_file: Option<PathBuf>,
    /// The labels of a table are numbers to predict
    #[arg(long, conflicts_with = "multi_label")]
    pub(crate) regression: bool,
    /// A row of a table may have several labels, or none
    #[arg(long, conflicts_with = "label_columns")]
    pub(crate) multi_label: bool,
    /// Character between the labels of a row, with --multi-label [default: a semicolon]
    #[arg(long, value_name = "CHARACTER", requires = "multi_label")]
    pub(crate) label_separator: Option<char>,
    /// Longest input sequence, in tokens, for the share that is cut [default: 384 for squad, else 128]
    #[arg(long, value_name = "TOKENS")]
    pub(crate) max_seq_length: Option<usize>,
    #[command(flatten)]
    pub(crate) columns: ColumnArgs,
    #[command(flatten)]
    pub(crate) context: ContextColumnArg,
    #[command(flatten)]
    pub(crate) answers: AnswerColumnArgs,
    #[command(flatten)]
    pub(crate) endings: EndingColumnsArg,
    #[command(flatten)]
    pub(crate) casing: CasingArgs,
}
