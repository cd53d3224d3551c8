//! The flags of the commands that ask a fine-tuned model about texts.

use std::path::PathBuf;

use clap::Args;

use super::run::DeviceArgs;
use super::squad::TrainedWindowArgs;

/// What `ask` looks for answers in.
#[derive(Debug, Args)]
pub(crate) struct DocumentArgs {
    /// File with the text, or folder with documents: its .txt and .md files, at any depth; - is standard input; may be
    /// repeated [default: standard input]
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) context: Vec<PathBuf>,
    /// The text itself
    #[arg(long, value_name = "TEXT", conflicts_with = "context")]
    pub(crate) text: Option<String>,
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
}

/// How much of many documents is read.
#[derive(Debug, Args)]
pub(crate) struct ReadingArgs {
    /// Passages of several documents that the model reads for a question: those that BM25 ranks first
    #[arg(long, value_name = "PASSAGES", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) max_passages: u16,
}

/// The beginning that `choose` is about.
#[derive(Debug, Args)]
pub(crate) struct ContextArgs {
    /// File with the text; - is standard input [default: standard input]
    #[arg(long, value_name = "FILE")]
    pub(crate) context: Option<PathBuf>,
    /// The text itself
    #[arg(long, value_name = "TEXT", conflicts_with = "context")]
    pub(crate) text: Option<String>,
}

/// How questions are answered.
#[derive(Debug, Args)]
#[command(next_help_heading = "Answers")]
pub(crate) struct AnswerArgs {
    #[command(flatten)]
    pub(crate) windows: TrainedWindowArgs,
    /// Longest answer, in tokens
    #[arg(long, value_name = "TOKENS", default_value_t = 30)]
    pub(crate) max_answer_length: usize,
    /// The model may say that there is no answer: it was trained on SQuAD 2.0 [default: what the model's run.json
    /// says]
    #[arg(long)]
    pub(crate) version_2_with_negative: bool,
    /// Say "no answer" where its score is above the best answer's by more than this [default: what the model's training
    /// found, else 0]
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true)]
    pub(crate) null_score_diff_threshold: Option<f32>,
}

/// `bert ask`
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES
  bert ask --model out/squad --context article.txt \"Who wrote it?\" \"When?\"
      the answer to each question, with its probability and the sentence it stands in
  bert ask --model out/squad --context notes --context letter.txt --n-best 3 \"Who wrote it?\"
      the best answers over all documents of a folder and a file, each with its file
  cat article.txt | bert ask --model out/squad --json --n-best 5 \"Who wrote it?\"
      a line of JSON for each question, with the five best answers
  bert ask --model owner/name --text \"It was built in 1889.\" \"When was it built?\"
      a model of the Hugging Face hub, by name")]
pub(crate) struct AskArgs {
    /// Fine-tuned question-answering checkpoint: a folder, or a name on the Hugging Face hub
    #[arg(long, value_name = "DIR|NAME", alias = "bert-model")]
    pub(crate) model: PathBuf,
    #[command(flatten)]
    pub(crate) documents: DocumentArgs,
    /// The questions
    #[arg(value_name = "QUESTION", required = true)]
    pub(crate) questions: Vec<String>,
    /// Best answers that are printed
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=20))]
    pub(crate) n_best: u8,
    #[command(flatten)]
    pub(crate) answers: AnswerArgs,
    #[command(flatten)]
    pub(crate) device: DeviceArgs,
}

/// `bert classify`
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES
  bert classify --model out/sst-2 \"A moving film.\" \"Two hours I will not get back.\"
      the most probable class of each text, and the probability of every class
  bert classify --model out/mrpc \"He bought it.\" --pair \"It was bought by him.\"
      a pair of texts
  bert classify --model out/sst-2 --json < reviews.txt
      a line of JSON for each line of standard input; a tab parts the texts of a pair")]
pub(crate) struct ClassifyArgs {
    /// Fine-tuned sequence-classification checkpoint: a folder, or a name on the Hugging Face hub
    #[arg(long, value_name = "DIR|NAME", alias = "bert-model")]
    pub(crate) model: PathBuf,
    /// The texts [default: the lines of standard input]
    #[arg(value_name = "TEXT")]
    pub(crate) texts: Vec<String>,
    /// The second text of a pair; once for each TEXT
    #[arg(long, value_name = "TEXT")]
    pub(crate) pair: Vec<String>,
    /// Longest input sequence, in tokens; longer texts are cut [default: that of the model's training, else
    /// 128, or what the model can read]
    #[arg(long, value_name = "TOKENS")]
    pub(crate) max_seq_length: Option<usize>,
    #[command(flatten)]
    pub(crate) device: DeviceArgs,
}

/// `bert choose`
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES
  bert choose --model out/swag --text \"She opens the hood of the car.\" --start \"Then she\" \\
      \"examines the engine.\" \"sings.\" \"flies away.\" \"closes the book.\"
      the ending that follows, and the probability of each")]
pub(crate) struct ChooseArgs {
    /// Fine-tuned multiple-choice checkpoint: a folder, or a name on the Hugging Face hub
    #[arg(long, value_name = "DIR|NAME", alias = "bert-model")]
    pub(crate) model: PathBuf,
    #[command(flatten)]
    pub(crate) context: ContextArgs,
    /// The start of the sentence that the endings finish
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) start: String,
    /// The endings, 2 to 26 of them
    #[arg(value_name = "ENDING", num_args = 2..=26, required = true)]
    pub(crate) endings: Vec<String>,
    /// Longest input sequence, in tokens; longer texts are cut [default: that of the model's training, else
    /// 128, or what the model can read]
    #[arg(long, value_name = "TOKENS")]
    pub(crate) max_seq_length: Option<usize>,
    #[command(flatten)]
    pub(crate) device: DeviceArgs,
}
