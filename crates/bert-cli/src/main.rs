//! The `bert` binary: fine-tunes BERT, predicts, and scores.
//!
//! A command's arguments are put into our flags ([`spellings`], [`config`]), parsed ([`mod@interpret`], [`args`]), turned into
//! settings ([`resolve`]) and run ([`commands`]). Results go to stdout, everything else to stderr.

mod allocator;
mod args;
mod commands;
mod config;
mod device_faults;
mod exit;
mod hub;
mod interpret;
mod interrupt;
mod kernel_notices;
mod processes;
mod progress;
mod resolve;
mod spellings;
mod terminal;

use std::process::ExitCode;

use tracing::info;

use crate::args::Command;
use crate::interpret::{Interpreted, interpret};
use crate::terminal::OutputStyle;

#[global_allocator]
static ALLOCATOR: allocator::Allocator = allocator::Allocator;

fn main() -> ExitCode {
    allocator::keep_freed_memory();
    allocator::have_stack();
    let arguments = args::with_hyphens(std::env::args_os()).collect();
    let Interpreted {
        cli,
        notes,
        decisions,
    } = match interpret(arguments) {
        Ok(interpreted) => interpreted,
        Err(error) => {
            return match error.downcast_ref::<clap::Error>() {
                Some(usage) => exit::usage(usage),
                None => exit::failure(&error),
            };
        }
    };
    terminal::set(OutputStyle {
        quiet: cli.is_quiet(),
        json: cli.is_json(),
    });
    exit::log_to_stderr(cli.verbose_logging());
    notes.iter().for_each(|note| info!("{note}"));
    if !cli.is_dry_run() {
        decisions.iter().for_each(|decision| info!("{decision}"));
    }
    spellings::keep(decisions);
    if let Err(error) = interrupt::outlive_file_size_limits() {
        return exit::failure(&error.into());
    }
    let shares = cli.command.shares_its_work();
    let threads = bert_backend::start_threads().map_err(anyhow::Error::from);
    match threads
        .and_then(|()| processes::join(shares))
        .and_then(|()| run(cli.command))
    {
        Ok(()) => {
            processes::part();
            ExitCode::SUCCESS
        }
        Err(error) => exit::failure(&error),
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::TrainSquad(args) => commands::train_squad::run(&args),
        Command::TrainSwag(args) => commands::train_swag::run(&args),
        Command::TrainGlue(args) => commands::train_glue::run(&args),
        Command::PredictSquad(args) => commands::predict_squad::run(&args),
        Command::PredictSwag(args) => commands::predict_swag::run(&args),
        Command::PredictGlue(args) => commands::predict_glue::run(&args),
        Command::EvaluateSquad(args) => commands::evaluate_squad::run(&args),
        Command::FeaturesSquad(args) => commands::features_squad::run(&args),
        Command::FeaturesSwag(args) => commands::features_swag::run(&args),
        Command::FeaturesGlue(args) => commands::features_glue::run(&args),
        Command::Sweep(args) => commands::sweep::run(&args),
        Command::Check(args) => commands::check::run(&args),
        Command::Ask(args) => commands::ask::run(&args),
        Command::Classify(args) => commands::classify::run(&args),
        Command::Choose(args) => commands::choose::run(&args),
        Command::Serve(args) => commands::serve::run(&args),
        Command::Export(args) => commands::export::run(&args),
        Command::Download(args) => commands::download::run(&args),
        Command::Report(args) => commands::report::run(&args),
        Command::Recipes(args) => commands::recipes::run(&args),
        Command::Info => commands::info::run(),
        Command::Completions(args) => commands::completions::run(&args).map_err(Into::into),
        Command::DocsFlags => commands::docs_flags::run().map_err(Into::into),
        Command::DocsSpellings => commands::docs_flags::spellings().map_err(Into::into),
        Command::DocsMan(args) => commands::docs_flags::man(&args).map_err(Into::into),
        Command::BenchTrain(args) => commands::bench::train::run(&args),
        Command::BenchPredict(args) => commands::bench::predict::run(&args),
    }
}
