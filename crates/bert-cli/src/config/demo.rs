//! The bundled demo: the recipe of a training that names neither a model nor data, and where its files are.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use bert_demo_data::{READER_WEIGHTS, demo_files};
use bert_files::{create_folder, write_atomically};
use clap::ArgMatches;
use tracing::info;

use super::{Config, names, names_data, recipes};
use crate::exit::bad_usage;

/// What the demo gives to a training that names a model and no data: the data, and where the results go.
const WITHOUT_MODEL: [&str; 3] = ["data_dir", "demo_output_dir", "max_seq_length"];

/// The demo's settings, or what of them a training lacks; `None` where it lacks nothing.
///
/// # Errors
/// When the demo's files cannot be found or written.
pub(super) fn config(verb: &str, given: &ArgMatches) -> anyhow::Result<Option<Config>> {
    let is_csv = given.try_get_raw("task").is_ok_and(|task| {
        task.is_some_and(|mut task| task.any(|name| name.eq_ignore_ascii_case("csv")))
    });
    if names_data(given) || is_csv {
        return Ok(None);
    }
    if !names(given, "bert_model") {
        return Ok(Some(recipes::read(verb, "demo")?));
    }
    if verb == "train-squad" {
        return Ok(None);
    }
    let mut config = recipes::read(verb, "demo")?;
    config
        .entries
        .retain(|entry| WITHOUT_MODEL.contains(&entry.key.as_str()));
    Ok(Some(config))
}

/// The folder of the demo's files: `BERT_DEMO_DIR`, or `data/demo` of the repository, or else a folder of the user's cache
/// into which they are written.
///
/// # Errors
/// When the folder is not there, or cannot be written.
pub(super) fn dir() -> anyhow::Result<PathBuf> {
    if let Some(dir) = std::env::var_os("BERT_DEMO_DIR").map(PathBuf::from) {
        if !dir.is_dir() {
            bad_usage!(
                "BERT_DEMO_DIR: found no folder {}, expected the demo's files",
                dir.display()
            );
        }
        return Ok(dir);
    }
    let repository = Path::new("data/demo");
    if repository.join("bert-reader").is_dir() {
        return Ok(repository.to_owned());
    }
    let cache =
        dirs::cache_dir().context("the user's cache folder is not known; set BERT_DEMO_DIR")?;
    let dir = cache
        .join("bert")
        .join(concat!("demo-", env!("CARGO_PKG_VERSION")));
    write(&dir)?;
    Ok(dir)
}

/// Writes the demo's files where they are not there.
fn write(dir: &Path) -> anyhow::Result<()> {
    // Written last: where it is, all of them are.
    let complete = dir.join("complete");
    if complete.exists() {
        return Ok(());
    }
    info!("writing the demo's files to {}", dir.display());
    let files = demo_files()?;
    let texts = files
        .iter()
        .map(|file| (file.path.as_str(), file.bytes.as_slice()));
    for (path, bytes) in texts.chain([READER_WEIGHTS]) {
        let path = dir.join(path);
        create_folder(path.parent().unwrap_or(dir))?;
        write_atomically(&path, |out| out.write_all(bytes))?;
    }
    fs::write(&complete, "").with_context(|| format!("{}: cannot be written", complete.display()))
}
