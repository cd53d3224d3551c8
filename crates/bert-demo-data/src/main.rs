//! `generate-demo-data`: writes the demo data.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use bert_demo_data::{demo_files, pretraining_files};
use clap::Parser;

/// Passages of the pre-training.
const PRETRAINING_PASSAGES: usize = 40_000;

/// Writes the demo data: SQuAD passages, SWAG endings, GLUE sentences, and the small models' vocabularies and configurations.
#[derive(Parser)]
struct Args {
    /// Folder to write to.
    #[arg(long, default_value = "data/demo")]
    output_dir: PathBuf,
    /// Write instead what the pre-training of bert-reader needs, to this folder
    #[arg(long, value_name = "DIR", conflicts_with = "output_dir")]
    pretraining: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let (files, folder) = match args.pretraining {
        Some(folder) => (pretraining_files(PRETRAINING_PASSAGES)?, folder),
        None => (demo_files()?, args.output_dir),
    };
    for file in files {
        let path = folder.join(file.path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        }
        fs::write(&path, &file.bytes).with_context(|| format!("writing {}", path.display()))?;
        println!("{}: {} bytes", path.display(), file.bytes.len());
    }
    Ok(())
}
