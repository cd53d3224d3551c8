//! `sweep`: one training with several settings, compared.

mod axes;
mod configurations;
mod range;

use std::ffi::OsString;
use std::path::PathBuf;

use bert_finetune::{Configuration, Settings, Sweep, plan_sweep, sweep};
use clap::CommandFactory;
use serde_json::json;
use tracing::info;

use self::axes::Axis;
use crate::args::{Cli, Command, SweepArgs, TrainTaskArg};
use crate::exit::{bad_usage, one_line};
use crate::interpret::{Interpreted, interpret};
use crate::progress::Terminal;
use crate::{processes, resolve, spellings, terminal};

/// Trains every configuration, and prints a table of them.
///
/// # Errors
/// When the command line or an input is bad, a training fails, or an output cannot be written.
pub(crate) fn run(args: &SweepArgs) -> anyhow::Result<()> {
    let Some(asked) = read(args)? else {
        return Ok(());
    };
    if args.has("--dry-run") {
        return print_plan(&asked);
    }
    let found = sweep(&asked, &Terminal)?;
    if !processes::leads() {
        return Ok(());
    }
    if terminal::json() {
        return Ok(terminal::line(&serde_json::to_string(&found)?)?);
    }
    for line in found.to_text().lines() {
        terminal::line(line)?;
    }
    info!(
        "{}: sweep.html has the table with links to every run",
        asked.dir.display()
    );
    Ok(())
}

/// What a command line asks for; `None` where it asks for help, which is printed.
fn read(args: &SweepArgs) -> anyhow::Result<Option<Sweep>> {
    let command = Cli::command();
    let (first, words) = args.training.split_first().unzip();
    let first = first.and_then(|word| word.to_str()).unwrap_or_default();
    let verb = spellings::verb(first);
    let Some(subcommand) = command
        .find_subcommand(verb)
        .filter(|_| verb.starts_with("train-"))
    else {
        bad_usage!("found {first:?} to sweep, expected train-squad, train-swag or train-glue");
    };
    let line = axes::read(verb, subcommand, words.unwrap_or_default())?;
    let combinations = match args.random {
        Some(count) => configurations::some(&line.axes, count, args.random_seed)?,
        None => configurations::all(&line.axes)?,
    };
    let mut read = Vec::new();
    for values in combinations {
        let words = words_of(&line.fixed, &line.axes, &values);
        let Some(settings) = settings(words, read.is_empty())? else {
            return Ok(None);
        };
        read.push(Configuration {
            name: configurations::name(&line.axes, &values)?,
            values,
            settings,
        });
    }
    if line.axes.is_empty() {
        bad_usage!(
            "found no flag of {verb} with several values, expected one at least: --learning-rate 1e-5,2e-5"
        );
    }
    let same = |other: &&Configuration| {
        let mut all = read.iter();
        all.any(|own| own.name == other.name && own.values != other.values)
    };
    if let Some(twice) = read.iter().find(same) {
        bad_usage!(
            "found two configurations whose folder would be {}, expected values that differ in letters or digits",
            twice.name
        );
    }
    Ok(Some(Sweep {
        dir: output_dir(&read)?,
        varied: line.axes.into_iter().map(|axis| axis.flag).collect(),
        configurations: read,
        halving: args.halving,
    }))
}

/// The command line of one configuration.
fn words_of(fixed: &[OsString], axes: &[Axis], values: &[String]) -> Vec<OsString> {
    let varied = axes.iter().zip(values);
    let varied = varied.map(|(axis, value)| format!("--{}={value}", axis.flag).into());
    let program = OsString::from("bert");
    [program]
        .into_iter()
        .chain(fixed.iter().cloned())
        .chain(varied)
        .collect()
}

/// The settings of a configuration's command line; `None` where it asks for help, which is printed. Of the `first` it is
/// said what of its words is not done as they are written.
fn settings(words: Vec<OsString>, first: bool) -> anyhow::Result<Option<Settings>> {
    let Interpreted {
        cli,
        notes,
        decisions,
    } = match interpret(words) {
        Ok(interpreted) => interpreted,
        Err(error) => match error.downcast::<clap::Error>()? {
            usage if usage.use_stderr() => bad_usage!("{}", one_line(&usage)),
            help => {
                help.print()?;
                return Ok(None);
            }
        },
    };
    if first {
        notes
            .iter()
            .chain(&decisions)
            .for_each(|line| info!("{line}"));
        spellings::keep(decisions);
    }
    let settings = match cli.command {
        Command::TrainSquad(args) => resolve::squad::train_squad(&args)?,
        Command::TrainSwag(args) => resolve::swag::train_swag(&args)?,
        Command::TrainGlue(args) => match (args.task, resolve::glue::train_glue(&args)?.pop()) {
            (TrainTaskArg::One(_), Some((settings, _))) => settings,
            _ => {
                bad_usage!("--task: found all, expected one task: a sweep compares settings of one")
            }
        },
        _ => unreachable!("the verb is that of a training"),
    };
    if settings.run.is_demo_folder {
        bad_usage!("--output-dir is missing, expected the folder for the runs of the sweep");
    }
    Ok(Some(settings))
}

/// The folder that all configurations name.
fn output_dir(configurations: &[Configuration]) -> anyhow::Result<PathBuf> {
    let mut dirs = configurations
        .iter()
        .map(|own| &own.settings.run.output_dir);
    let Some(first) = dirs.next() else {
        unreachable!("there is a combination of any number of values")
    };
    if let Some(other) = dirs.find(|dir| *dir != first) {
        bad_usage!(
            "--output-dir: found {} and {}, expected one folder for all runs",
            first.display(),
            other.display()
        );
    }
    Ok(first.clone())
}

/// Prints what would be trained: a line for each configuration.
fn print_plan(asked: &Sweep) -> anyhow::Result<()> {
    let plans = plan_sweep(asked)?;
    if !processes::leads() {
        return Ok(());
    }
    if terminal::json() {
        let all: Vec<_> = plans
            .iter()
            .map(|(folder, plan)| json!({"folder": folder, "plan": plan}))
            .collect();
        return Ok(terminal::line(&json!(all).to_string())?);
    }
    let width = plans
        .iter()
        .map(|(folder, _)| folder.len())
        .max()
        .unwrap_or(0);
    let mut runs = 0;
    for (folder, plan) in &plans {
        runs += plan.seeds.len();
        let steps = plan.total_steps.unwrap_or(0);
        let memory = plan
            .memory_bytes
            .as_ref()
            .map_or(0, |memory| memory.total >> 20);
        terminal::line(&format!(
            "{folder:<width$}  {steps} steps, about {memory} MiB"
        ))?;
    }
    terminal::line(&format!(
        "{} configurations, {runs} runs, in {}",
        plans.len(),
        asked.dir.display()
    ))?;
    Ok(())
}
