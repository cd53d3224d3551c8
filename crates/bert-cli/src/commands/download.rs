//! `download`: official datasets and pretrained models, to local files.

use std::path::Path;

use bert_hub::{Dataset, FetchSettings, Fetcher, ModelName, download};
use serde_json::json;

use crate::args::DownloadArgs;
use crate::config::downloads_dir;
use crate::exit::bad_usage;
use crate::{hub, terminal};

/// Fetches what is not there yet, and prints where it is.
///
/// # Errors
/// When a name means nothing, or something cannot be fetched.
pub(crate) fn run(args: &DownloadArgs) -> anyhow::Result<()> {
    // Names are looked at before anything is fetched.
    let wanted = args.names.iter().map(|name| wanted(name));
    let wanted = wanted.collect::<anyhow::Result<Vec<_>>>()?;
    let dir = args.downloads_dir.clone().unwrap_or_else(downloads_dir);
    let fetcher = Fetcher::new(FetchSettings {
        mirror: args.mirror.clone(),
        ..FetchSettings::from_env()?
    })?;
    for (name, wanted) in args.names.iter().zip(wanted) {
        let files = match wanted {
            Wanted::Dataset(dataset) => {
                download(dataset, &dir, &fetcher, &mut hub::Bytes::default())?
            }
            Wanted::Model(model) => vec![hub::model(&model)?],
        };
        for file in files {
            print(name, &file)?;
        }
    }
    Ok(())
}

enum Wanted {
    Dataset(Dataset),
    Model(ModelName),
}

fn wanted(name: &str) -> anyhow::Result<Wanted> {
    if let Ok(dataset) = name.parse() {
        return Ok(Wanted::Dataset(dataset));
    }
    match name.parse() {
        Ok(model) => Ok(Wanted::Model(model)),
        Err(error) => {
            let datasets = Dataset::ALL.map(Dataset::name).join(", ");
            bad_usage!("{error}; datasets are {datasets}")
        }
    }
}

fn print(name: &str, path: &Path) -> std::io::Result<()> {
    if terminal::json() {
        terminal::line(&json!({"name": name, "path": path}).to_string())
    } else {
        terminal::line(&path.display().to_string())
    }
}
