//! The command line, as clap reads it. Nothing is decided here: see [`crate::resolve`].

mod ask;
mod bench;
mod check;
mod export;
mod glue;
mod run;
mod serve;
mod squad;
mod swag;
mod sweep;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub(crate) use ask::{AnswerArgs, AskArgs, ChooseArgs, ClassifyArgs, ContextArgs, DocumentArgs};
pub(crate) use bench::{BenchPredictArgs, BenchTrainArgs, ModelShape, Workload};
pub(crate) use check::CheckArgs;
pub(crate) use export::{ExportArgs, Format};
pub(crate) use glue::{ColumnArgs, FeaturesGlueArgs, PredictGlueArgs, TrainGlueArgs, TrainTaskArg};
pub(crate) use run::{DeviceArgs, EvaluationArgs, RefusedArgs, TrainingArgs};
pub(crate) use serve::{DownloadArgs, ServeArgs};
pub(crate) use squad::{
    EvaluateSquadArgs, FeaturesSquadArgs, PredictSquadArgs, PredictionArgs, TrainSquadArgs,
    TrainedWindowArgs,
};
pub(crate) use swag::{FeaturesSwagArgs, PredictSwagArgs, TrainSwagArgs};
pub(crate) use sweep::SweepArgs;

/// Fine-tunes BERT on SQuAD, SWAG and GLUE, predicts, and scores with the official metrics.
#[derive(Debug, Parser)]
#[command(name = "bert", version = env!("BERT_VERSION"), propagate_version = true)]
#[command(after_help = "EXAMPLES
  bert train-squad                                          a first run, on bundled data, a few minutes
  bert ask --model out/squad-demo --context TEXT.txt \"Who wrote it?\"
  bert download squad && bert train-squad --recipe base     the published run
  bert train-squad --help                                   a command's flags and more examples")]
pub(crate) struct Cli {
    /// No progress and no notices on stderr: warnings and errors only
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Results on stdout as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// `bert report`
#[derive(Debug, clap::Args)]
#[command(after_help = "EXAMPLES
  bert report out/squad
      writes out/squad/report.html anew from what the run left (each run ends with one)
  bert report --compare out/squad out/squad-large --output runs.html
      several runs in one table and one plot")]
pub(crate) struct ReportArgs {
    /// Output folders of runs, finished or not
    #[arg(value_name = "RUN", required = true)]
    pub(crate) runs: Vec<PathBuf>,
    /// Put the runs side by side on one page
    #[arg(long)]
    pub(crate) compare: bool,
    /// The page of --compare, which replaces a file of that name [default: comparison.html, where there is none]
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// `bert completions`
#[derive(Debug, clap::Args)]
#[command(after_help = "EXAMPLES
  bert completions bash > ~/.local/share/bash-completion/completions/bert
  bert completions zsh > \"${fpath[1]}/_bert\"
  bert completions fish > ~/.config/fish/completions/bert.fish")]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

/// `bert docs-man`
#[derive(Debug, clap::Args)]
pub(crate) struct DocsManArgs {
    /// The folder, which is there
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
}

/// `bert recipes`
#[derive(Debug, clap::Args)]
#[command(after_help = "EXAMPLES
  bert recipes
      every recipe, a line each
  bert recipes train-squad base > mine.toml
      a recipe as a file, to change and to use: bert train-squad --config mine.toml")]
pub(crate) struct RecipesArgs {
    /// The command that the recipes are for
    #[arg(value_name = "COMMAND")]
    pub(crate) verb: Option<String>,
    /// The recipe to print
    #[arg(requires = "verb")]
    pub(crate) name: Option<String>,
}

impl Cli {
    /// Whether logs for debugging were asked for.
    pub(crate) fn verbose_logging(&self) -> bool {
        match &self.command {
            Command::TrainSquad(args) => args.training.run.verbose_logging,
            Command::TrainSwag(args) => args.training.run.verbose_logging,
            Command::TrainGlue(args) => args.training.run.verbose_logging,
            Command::PredictSquad(args) => args.verbose_logging,
            Command::PredictSwag(args) => args.verbose_logging,
            Command::PredictGlue(args) => args.verbose_logging,
            Command::Sweep(args) => args.has("--verbose-logging"),
            Command::EvaluateSquad(_)
            | Command::FeaturesSquad(_)
            | Command::FeaturesSwag(_)
            | Command::FeaturesGlue(_)
            | Command::BenchTrain(_)
            | Command::BenchPredict(_)
            | Command::Ask(_)
            | Command::Classify(_)
            | Command::Choose(_)
            | Command::Report(_)
            | Command::Check(_)
            | Command::Serve(_)
            | Command::Export(_)
            | Command::Download(_)
            | Command::Recipes(_)
            | Command::Info
            | Command::DocsFlags
            | Command::DocsSpellings
            | Command::DocsMan(_)
            | Command::Completions(_) => false,
        }
    }
}

impl Command {
    /// Whether several processes can share the command's work.
    pub(crate) fn shares_its_work(&self) -> bool {
        matches!(
            self,
            Self::TrainSquad(_)
                | Self::TrainSwag(_)
                | Self::TrainGlue(_)
                | Self::Sweep(_)
                | Self::PredictSquad(_)
                | Self::PredictSwag(_)
                | Self::PredictGlue(_)
        )
    }
}

impl Cli {
    /// Whether the command only prints what it would do.
    pub(crate) fn is_dry_run(&self) -> bool {
        match &self.command {
            Command::TrainSquad(args) => args.training.run.dry_run,
            Command::TrainSwag(args) => args.training.run.dry_run,
            Command::TrainGlue(args) => args.training.run.dry_run,
            Command::Sweep(args) => args.has("--dry-run"),
            _ => false,
        }
    }

    /// Whether results are to be JSON, as a sweep's training may say too.
    pub(crate) fn is_json(&self) -> bool {
        self.json || matches!(&self.command, Command::Sweep(args) if args.has("--json"))
    }

    /// Whether progress and notices are to be left out, as a sweep's training may say too.
    pub(crate) fn is_quiet(&self) -> bool {
        let says = |args: &SweepArgs| args.has("--quiet") || args.has("-q");
        self.quiet || matches!(&self.command, Command::Sweep(args) if says(args))
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Fine-tune a BERT on SQuAD, predict and score; without arguments, on bundled demo data
    TrainSquad(Box<TrainSquadArgs>),
    /// Fine-tune a BERT on SWAG or your own choices, predict and score; without arguments, on bundled demo data
    TrainSwag(Box<TrainSwagArgs>),
    /// Fine-tune a BERT on a GLUE task or your own labelled texts, predict and score; without data, on
    /// bundled demo data
    TrainGlue(Box<TrainGlueArgs>),
    /// Train with several settings and seeds, and compare them in one table
    Sweep(SweepArgs),
    /// Answer a SQuAD file's questions with a fine-tuned checkpoint
    PredictSquad(Box<PredictSquadArgs>),
    /// Choose among the endings of SWAG, or your own, with a fine-tuned checkpoint
    PredictSwag(PredictSwagArgs),
    /// Classify a GLUE task's texts, or your own, with a fine-tuned checkpoint
    PredictGlue(PredictGlueArgs),
    /// Score predictions with the official SQuAD metrics
    EvaluateSquad(EvaluateSquadArgs),
    /// Print a SQuAD file's features as JSON Lines
    FeaturesSquad(FeaturesSquadArgs),
    /// Print a SWAG file's features as JSON Lines
    FeaturesSwag(FeaturesSwagArgs),
    /// Print a GLUE file's features as JSON Lines
    FeaturesGlue(FeaturesGlueArgs),
    /// Look at data before a training: labels, lengths, repeated rows, rows in both files
    Check(CheckArgs),
    /// Answer questions about a text with a fine-tuned checkpoint
    Ask(AskArgs),
    /// Classify texts with a fine-tuned checkpoint
    Classify(ClassifyArgs),
    /// Choose the ending that follows with a fine-tuned checkpoint
    Choose(ChooseArgs),
    /// Serve trained models: a page and a JSON API
    Serve(ServeArgs),
    /// Write a fine-tuned checkpoint as an ONNX file, compared with the model
    Export(ExportArgs),
    /// Fetch official datasets and pretrained models, by name
    Download(DownloadArgs),
    /// Show a run as a page: curves, scores, worst mistakes; or compare runs
    Report(ReportArgs),
    /// List the recipes of the trainings, or print one
    Recipes(RecipesArgs),
    /// Print what a report of a fault needs: version, processor, devices, folders
    #[command(after_help = "EXAMPLES
  bert info
      a line for each fact; with --json one object")]
    Info,
    /// Print a shell's completions of these commands
    Completions(CompletionsArgs),
    /// Print docs/flags.md
    #[command(hide = true)]
    DocsFlags,
    /// Print the tables of docs/coming-from-python.md
    #[command(hide = true)]
    DocsSpellings,
    /// Write a manual page for each command into a folder
    #[command(hide = true)]
    DocsMan(DocsManArgs),
    /// Time training steps on random weights, and print a line of JSON
    BenchTrain(BenchTrainArgs),
    /// Time a model's predictions for windows of given lengths on random weights, and print a line of JSON
    BenchPredict(BenchPredictArgs),
}

/// Turns the 2018 scripts' `--underscored_flags` into ours, so that their command lines can be pasted.
/// Values, also behind `=`, stay as they are.
pub(crate) fn with_hyphens(
    arguments: impl Iterator<Item = OsString>,
) -> impl Iterator<Item = OsString> {
    let mut flags_ended = false;
    arguments.map(move |argument| {
        let Some(text) = argument.to_str() else {
            return argument;
        };
        flags_ended |= text == "--";
        if flags_ended || !text.starts_with("--") {
            return argument;
        }
        let (flag, value) = match text.split_once('=') {
            Some((flag, value)) => (flag, Some(value)),
            None => (text, None),
        };
        let flag = flag.replace('_', "-");
        match value {
            Some(value) => format!("{flag}={value}").into(),
            None => flag.into(),
        }
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn underscored_flags_become_hyphenated_and_values_do_not() {
        let given = [
            "--bert_model",
            "my_model",
            "--output_dir=a_b",
            "--",
            "--as_is",
        ];
        let expected = [
            "--bert-model",
            "my_model",
            "--output-dir=a_b",
            "--",
            "--as_is",
        ];
        let found: Vec<OsString> = with_hyphens(given.iter().map(OsString::from)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_command_line_of_the_2018_readme_parses() {
        let line = "bert train-squad --bert_model bert-base-uncased --do_train --do_predict --do_lower_case \
                    --train_file train-v1.1.json --predict_file dev-v1.1.json --train_batch_size 12 \
                    --learning_rate 3e-5 --num_train_epochs 2.0 --max_seq_length 384 --doc_stride 128 \
                    --output_dir /tmp/debug_squad/";
        let words = line.split_whitespace().map(OsString::from);
        let cli = Cli::try_parse_from(with_hyphens(words)).unwrap();
        let Command::TrainSquad(args) = cli.command else {
            panic!("{cli:?}");
        };
        assert!(args.do_train && args.do_predict);
        assert_eq!(args.training.recipe.train_batch_size, 12);
    }
}
