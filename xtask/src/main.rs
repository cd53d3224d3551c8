//! `cargo xtask VERB …`: builds the `bert` binary for this machine and runs the verb with it, or one
//! of the project's own chores.
//!
//! It links neither Burn nor the pipeline, so that it starts at once.

mod backend;
mod bench;
mod cargo;
mod ci;
mod demo_data;
mod verb;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask VERB [FLAGS]

Builds the `bert` binary in release mode for this machine and runs VERB with it:
  train-squad      fine-tune on SQuAD, predict and score; without flags, on bundled demo data
  train-swag       the same on four-way choices
  train-glue       the same on a GLUE task (--task), on all of them, or on texts of your own
  predict-squad    answer a SQuAD file's questions with a fine-tuned checkpoint
  predict-swag     choose among a SWAG file's endings
  predict-glue     classify a GLUE file's texts, or your own
  evaluate-squad   score predictions with the official metrics
  features-squad   print a SQuAD file's features as JSON Lines; also features-swag, features-glue
  ask              answer questions about a text
  classify         classify texts
  choose           choose the ending that follows
  serve            serve a page and an API that answer questions about texts
  report           show a run as a page, or compare runs
  download         fetch official datasets and pretrained models, by name
  completions      print a shell's completions of these verbs
`cargo xtask VERB --help` lists a verb's flags.

  --backend flex|cuda   what the binary is built for [default: cuda where there are an NVIDIA GPU and
                        the CUDA toolkit and the flags do not ask for the CPU, else flex]

Chores:
  bench [FILTER]   run the benchmarks and print their tables
  bench train      time training steps on random weights; --help lists its flags
  ci               run what CI runs
  demo-data        write the bundled demo data again
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.first().map(String::as_str) {
        None | Some("help" | "--help" | "-h") => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        Some("bench") => bench::run(&arguments[1..]),
        Some("ci") => ci::run(),
        Some("demo-data") => demo_data::run(&arguments[1..]),
        Some(_) => verb::run(arguments),
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::from(if error.is::<backend::BadBackend>() {
            2
        } else {
            1
        })
    })
}
