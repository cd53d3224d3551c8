//! `generate-demo-data`: writes the demo data.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use clap::Parser;

/// Writes the demo data: SQuAD passages, SWAG endings, GLUE sentences, a WordPiece vocabulary and the small model's
/// configuration.
#[derive(Parser)]
struct Args {
    /// Folder to write to.
    #[arg(long, default_value = "data/demo")]
    output_dir: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    for file in bert_demo_data::demo_files()? {
        let path = args.output_dir.join(file.path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        }
        fs::write(&path, &file.text).with_context(|| format!("writing {}", path.display()))?;
        println!("{}: {} bytes", path.display(), file.text.len());
    }
    Ok(())
}
