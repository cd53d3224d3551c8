//! How a failed command ends: one line on stderr, and exit code 2 for bad usage or bad input, 1 for
//! anything else.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use bert_backend::BackendError;
use bert_corpus::CorpusError;
use bert_datasets::DatasetError;
use bert_features::FeatureError;
use bert_files::FileError;
use bert_finetune::FinetuneError;
use bert_hub::HubError;
use bert_inference::InferenceError;
use bert_model::ModelError;
use bert_onnx::OnnxError;
use bert_prediction::PredictionError;
use bert_records::RecordError;
use bert_report::ReportError;
use bert_serve::ServeError;
use bert_tasks::TaskError;
use bert_tokenization::TokenizationError;
use bert_training::TrainError;
use clap::CommandFactory;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::args::Cli;
use crate::device_faults::DeviceFaults;
use crate::kernel_notices::KernelNotices;
use crate::progress::LogLines;
use crate::{processes, terminal};

const BAD_INPUT: u8 = 2;
const OTHER: u8 = 1;

/// Bad usage that clap cannot see: settings that do not fit together, or a path that is not what it
/// should be.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct BadUsage(pub(crate) String);

/// Ends a command with a [`BadUsage`].
macro_rules! bad_usage {
    ($($message:tt)*) => {
        return Err($crate::exit::BadUsage(format!($($message)*)).into())
    };
}
pub(crate) use bad_usage;

/// Sends logs to stderr: informative ones, or with `verbose` those for debugging; `RUST_LOG` overrides.
pub(crate) fn log_to_stderr(verbose: bool) {
    // Looking for adapters, wgpu reports every graphics driver that a machine lacks as an error. CubeCL reports every
    // allocation that it tries again, in several lines; what fails for good is an error of ours.
    let levels = match (verbose, terminal::quiet() || !processes::leads()) {
        (true, _) => "info,bert=debug",
        (false, false) => "warn,bert=info,cubecl_runtime=error,cubecl_server=error,wgpu_hal=off",
        (false, true) => "warn,cubecl_runtime=error,cubecl_server=error,wgpu_hal=off",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(levels));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(|| LogLines)
        .with_ansi(terminal::has_colours(&io::stderr()))
        .with_target(false)
        .without_time()
        // A closed stderr is no reason to stop a training.
        .log_internal_errors(false)
        .with_filter(filter);
    let kernels = || KernelNotices::default().with_filter(KernelNotices::filter());
    tracing_subscriber::registry()
        .with(lines)
        .with(processes::leads().then(kernels))
        .with(DeviceFaults.with_filter(DeviceFaults::filter()))
        .init();
}

/// Prints clap's message: help and version to stdout with code 0, errors on one line to stderr with code 2.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    use clap::error::ErrorKind;
    let is_help = matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    );
    // Nothing is left to do when the terminal is gone.
    let _ = if is_help {
        if processes::leads() {
            error.print()
        } else {
            Ok(())
        }
    } else if processes::speaks(None) {
        writeln!(io::stderr(), "error: {}", one_line(error))
    } else {
        Ok(())
    };
    ExitCode::from(if error.use_stderr() { BAD_INPUT } else { 0 })
}

/// clap's message on one line, with its advice and without the usage, which `--help` prints.
pub(crate) fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let before_usage = text.split("\nUsage:").next().unwrap_or(text);
    let lines = before_usage
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("For more information"));
    lines.collect::<Vec<_>>().join("; ").replace(":; ", ": ")
}

/// Prints an error on one line and says how it is to be counted.
pub(crate) fn failure(error: &anyhow::Error) -> ExitCode {
    if is_closed_pipe(error) {
        return ExitCode::SUCCESS;
    }
    let message = with_flags(&error.to_string()).replace(['\n', '\r'], " ");
    let is_bad_input = is_bad_input(error);
    if processes::speaks(Some(error)) {
        let (prefix, hint) = (processes::prefix(), processes::hint(is_bad_input));
        // Nothing is left to do when stderr is gone.
        let _ = writeln!(io::stderr(), "error: {prefix}{message}{hint}");
    }
    ExitCode::from(if is_bad_input { BAD_INPUT } else { OTHER })
}

/// A message of a library, which writes settings in backticks, with our flags in their place.
pub(crate) fn with_flags(message: &str) -> String {
    let command = Cli::command();
    let is_flag = |name: &str| {
        let mut commands = command.get_subcommands();
        commands.any(|verb| verb.get_arguments().any(|arg| arg.get_id() == name))
    };
    let mut parts = message.split('`');
    let mut text = parts.next().unwrap_or_default().to_owned();
    let mut opened = true;
    for part in parts {
        if opened && is_flag(part) {
            text.push_str("--");
            text.push_str(&part.replace('_', "-"));
            // The closing backtick goes too.
            opened = false;
            continue;
        }
        if opened {
            text.push('`');
        }
        opened = true;
        text.push_str(part);
    }
    text
}

/// A transparent variant passes its own cause by, so each crate's error judges what it wraps.
fn is_bad_input(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.is::<BadUsage>()
            || cause.is::<DatasetError>()
            || cause.is::<FeatureError>()
            || judged(cause, TokenizationError::is_bad_input)
            || judged(cause, ModelError::is_bad_input)
            || judged(cause, FileError::is_bad_input)
            || judged(cause, CorpusError::is_bad_input)
            || judged(cause, RecordError::is_bad_input)
            || judged(cause, ReportError::is_bad_input)
            || judged(cause, HubError::is_bad_input)
            || judged(cause, BackendError::is_bad_input)
            || judged(cause, TaskError::is_bad_input)
            || judged(cause, FinetuneError::is_bad_input)
            || judged(cause, ServeError::is_bad_input)
            || judged(cause, InferenceError::is_bad_input)
            || judged(cause, OnnxError::is_bad_input)
            || judged(cause, TrainError::is_bad_input)
            || judged(cause, PredictionError::is_bad_input)
    })
}

fn judged<E: Error + 'static>(cause: &(dyn Error + 'static), is_bad_input: fn(&E) -> bool) -> bool {
    cause.downcast_ref().is_some_and(is_bad_input)
}

/// `bert features-squad … | head` is not an error.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_a_library_become_flags() {
        for (message, shown) in [
            ("`max_seq_length`: found 3", "--max-seq-length: found 3"),
            ("a; `resume` or `seed`", "a; --resume or --seed"),
            ("`cargo xtask` builds it", "`cargo xtask` builds it"),
            ("one ` alone", "one ` alone"),
            ("`nothing` `seed`", "`nothing` --seed"),
            ("", ""),
        ] {
            assert_eq!(with_flags(message), shown);
        }
    }
}
