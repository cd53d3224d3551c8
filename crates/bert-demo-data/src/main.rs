//! `generate-demo-data`: writes the demo data, and what the pre-training of its SQuAD model needs.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use bert_demo_data::squad::{Asking, generate, to_json};
use bert_demo_data::{PRETRAINED_WEIGHTS, SEED, Split, demo_files, half_precision};
use clap::Parser;

/// Writes the demo data: SQuAD passages, SWAG endings, GLUE sentences, and the vocabularies and configurations of the small
/// models. data/demo/bert-pretrained/README.md says how the flags make that model's weights.
#[derive(Parser)]
struct Args {
    /// Folder to write to.
    #[arg(long, default_value = "data/demo")]
    output_dir: PathBuf,
    /// Write only this file: passages with statements to complete, for the pre-training.
    #[arg(long, value_name = "FILE")]
    pretraining: Option<PathBuf>,
    /// Passages of the pre-training's file.
    #[arg(long, default_value_t = 40_000, requires = "pretraining")]
    passages: usize,
    /// Write only the weights of bert-pretrained: those of this pre-trained `model.safetensors`, in half precision.
    #[arg(long, value_name = "FILE", conflicts_with = "pretraining")]
    weights: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    if let Some(path) = args.pretraining {
        let passages = generate(Split::Train, Asking::Blanks, args.passages, SEED)?;
        return write(&path, to_json(&passages, "pretraining")?.as_bytes());
    }
    if let Some(path) = args.weights {
        let bytes = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        let half = half_precision(&bytes).with_context(|| path.display().to_string())?;
        return write(&args.output_dir.join(PRETRAINED_WEIGHTS.0), &half);
    }
    for file in demo_files()? {
        write(&args.output_dir.join(file.path), file.text.as_bytes())?;
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    }
    fs::write(path, bytes).with_context(|| format!("writing {}", path.display()))?;
    println!("{}: {} bytes", path.display(), bytes.len());
    Ok(())
}
