//! `cargo xtask VERB …`: builds the `bert` binary for this machine and runs the verb with it, or one
//! of the project's own chores.
//!
//! It links neither Burn nor the pipeline, so that it starts at once.

mod backend;
mod bench;
mod cargo;
mod ci;
mod demo_data;
mod dist;
mod docs;
mod fuzz;
mod gpu;
mod invocation;
mod licences;
mod processes;
mod tools;
mod verb;

use std::process::ExitCode;

use anyhow::bail;

use invocation::Invocation;

const HELP: &str = "\
cargo xtask VERB [FLAGS]

Builds the `bert` binary in release mode for this machine and runs VERB with it:
  train-squad      fine-tune on SQuAD, predict and score; without flags, on bundled demo data
  train-swag       the same on four-way choices
  train-glue       the same on a GLUE task (--task), on all of them, or on texts of your own
  sweep            one of these trainings with several settings, compared in one table
  predict-squad    answer a SQuAD file's questions with a fine-tuned checkpoint
  predict-swag     choose among a SWAG file's endings
  predict-glue     classify a GLUE file's texts, or your own
  evaluate-squad   score predictions with the official metrics
  features-squad   print a SQuAD file's features as JSON Lines; also features-swag, features-glue
  ask              answer questions about a text
  classify         classify texts
  choose           choose the ending that follows
  serve            serve trained models: a page and a JSON API
  export           write a checkpoint as an ONNX file, compared with the model
  report           show a run as a page, or compare runs
  download         fetch official datasets and pretrained models, by name
  check            look at data before a training
  recipes          list the recipes, or print one
  info             print what a report of a fault needs
  completions      print a shell's completions of these verbs
`cargo xtask VERB --help` lists a verb's flags.

  --backend flex|cuda|wgpu|vulkan
                        what the binary is built for [default: what --device or --no-cuda asks for; without
                        them cuda if there are an NVIDIA GPU and the CUDA toolkit, else flex]
  --processes N         train or predict in N processes of this machine, with MPI (docs/several-machines.md)

Chores:
  bench [FILTER]   run the benchmarks and print their tables
  bench train      time training steps on random weights; --help lists its flags
  bench predict    time predictions for windows of given lengths; so too
  ci               run what CI runs
  docs [--check]   write docs/flags.md and tables of docs from the program's flags, or check that they are current
  fuzz [TARGET]    give what reads files and requests bytes that nobody thought of; --help lists its flags
  gpu-check        compare a GPU with the CPU and with golden files; --help lists its flags
  gpu-report       the same, and measure it beside PyTorch; --help lists its flags
  demo-data        write the bundled demo data with its generator
  dist             pack the program for other machines in target/dist, with a script that installs it
";

fn main() -> ExitCode {
    let arguments = std::env::args().skip(1).collect();
    run(arguments).unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::from(
            if error.is::<backend::BadBackend>() || error.is::<processes::BadProcesses>() {
                2
            } else {
                1
            },
        )
    })
}

type Chore = fn(&[String]) -> anyhow::Result<ExitCode>;

/// What is not a verb of the binary.
const CHORES: [(&str, Chore); 8] = [
    ("bench", bench::run),
    ("ci", ci::run),
    ("docs", docs::run),
    ("fuzz", fuzz::run),
    ("gpu-check", gpu::check),
    ("gpu-report", gpu::report),
    ("demo-data", demo_data::run),
    ("dist", dist::run),
];

fn run(arguments: Vec<String>) -> anyhow::Result<ExitCode> {
    let wants_help =
        arguments.is_empty() || ["help", "--help", "-h"].contains(&arguments[0].as_str());
    if wants_help {
        print!("{HELP}");
        return Ok(ExitCode::SUCCESS);
    }
    let Some(invocation) = Invocation::parse(arguments) else {
        bail!("found no verb, expected one: see cargo xtask --help");
    };
    match CHORES.iter().find(|(name, _)| *name == invocation.verb) {
        None => verb::run(invocation),
        Some((_, chore)) if invocation.leading().is_empty() => chore(&invocation.flags),
        Some((name, _)) => bail!(
            "{}: found before {name}, expected flags after it",
            invocation.leading()[0]
        ),
    }
}
