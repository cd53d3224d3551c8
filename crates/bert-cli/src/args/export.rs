//! The flags of `export`.

use std::path::PathBuf;

use bert_onnx::Precision;
use clap::{Args, ValueEnum};

/// `bert export`
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES
  bert export --model out/squad --output model.onnx
      a file for ONNX Runtime, compared with the model where ONNX Runtime is found
  bert export --model out/mrpc --precision int8 --output model_int8.onnx --onnxruntime libonnxruntime.so.1
      the encoder's products in bytes; `pip download onnxruntime` has that library in its wheel")]
pub(crate) struct ExportArgs {
    /// Fine-tuned checkpoint of any task: a folder, or a name on the Hugging Face hub
    #[arg(long, value_name = "DIR|NAME", alias = "bert-model")]
    pub(crate) model: PathBuf,
    /// The file's format
    #[arg(long, value_enum, default_value_t = Format::Onnx)]
    pub(crate) format: Format,
    /// The file, which replaces one of that name
    #[arg(long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Arithmetic of the file: int8 has the products of the encoder in bytes, with scales for each output's weights and for
    /// each tensor of activations
    #[arg(long, value_enum, default_value_t)]
    pub(crate) precision: Precision,
    /// Library of ONNX Runtime that runs the file beside the model, before it is written [default: ORT_DYLIB_PATH, or the
    /// one that the system finds; without one the file is not checked]
    #[arg(long, value_name = "FILE")]
    pub(crate) onnxruntime: Option<PathBuf>,
}

/// Formats of files that other programs run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Open Neural Network Exchange
    Onnx,
}
