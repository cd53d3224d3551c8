//! `export`: a fine-tuned checkpoint as a file that other programs run.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::{Path, PathBuf};

use bert_backend::Backend;
use bert_files::write_atomically;
use bert_onnx::{Difference, Exported, OnnxError, Runtime};
use serde_json::json;
use tracing::warn;

use crate::args::{ExportArgs, Format};
use crate::exit::bad_usage;
use crate::{resolve, terminal};

/// Where `ort` and its users name the library.
const LIBRARY: &str = "ORT_DYLIB_PATH";

/// Writes the file, after it was compared with the model.
///
/// # Errors
/// When the checkpoint or the library is bad, the file is not the model, or it cannot be written.
pub(crate) fn run(args: &ExportArgs) -> anyhow::Result<()> {
    let Format::Onnx = args.format;
    if args.output.is_dir() {
        let output = args.output.display();
        bad_usage!("--output: found a folder, {output}, expected a file");
    }
    let runtime = runtime(args.onnxruntime.as_deref())?;
    let dir = resolve::checkpoint_dir(&args.model)?;
    let device = Backend::open("cpu".parse().expect("the CPU is a device"))?.device;
    let exported = Exported::from_checkpoint(&dir, args.precision, &device)?;
    let difference = match &runtime {
        Some(runtime) => Some(exported.check(runtime, &device)?),
        None => {
            warn!(
                "the file is not checked: found no ONNX Runtime, expected one at --onnxruntime or {LIBRARY}"
            );
            None
        }
    };
    let bytes = exported.bytes();
    write_atomically(&args.output, |out| out.write_all(bytes))?;
    show(args, bytes.len(), difference)
}

/// ONNX Runtime, where the user names it or the system has it.
fn runtime(named: Option<&Path>) -> Result<Option<Runtime>, OnnxError> {
    let of_environment = || std::env::var_os(LIBRARY).filter(|path| !path.is_empty());
    match named
        .map(PathBuf::from)
        .or_else(|| of_environment().map(PathBuf::from))
    {
        Some(path) => Runtime::load(&path).map(Some),
        None => Ok(Runtime::load(Path::new(&format!("{DLL_PREFIX}onnxruntime{DLL_SUFFIX}"))).ok()),
    }
}

fn show(args: &ExportArgs, bytes: usize, difference: Option<Difference>) -> anyhow::Result<()> {
    let output = args.output.display();
    if terminal::json() {
        let line = json!({
            "output": args.output,
            "bytes": bytes,
            "checked_rows": difference.map(|found| found.rows),
            "largest_difference": difference.map(|found| found.largest),
            "typical_difference": difference.map(|found| found.typical),
            "largest_logit": difference.map(|found| found.of),
        });
        return Ok(terminal::line(&line.to_string())?);
    }
    let size = format!("{output}: {:.1} MB", bytes as f64 / 1e6);
    Ok(terminal::line(&match difference {
        None => size,
        Some(Difference {
            rows,
            largest,
            typical,
            of,
        }) => format!(
            "{size}; on {rows} random rows its logits are within {largest:.1e} of the model's, typically {typical:.1e}, where the largest is {of:.2}"
        ),
    })?)
}
