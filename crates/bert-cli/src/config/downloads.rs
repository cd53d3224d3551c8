//! Downloaded data, where a training names none.

use std::path::Path;

use clap::ArgMatches;

use super::{Config, Entry, Setting, downloads_dir, names, names_data};
use crate::exit::bad_usage;

/// The data of a training among the downloads.
struct Download {
    verb: &'static str,
    is_v2: bool,
    folder: &'static str,
    /// Flags, and the file of each; an empty name is the folder.
    files: &'static [(&'static str, &'static str)],
}

const DOWNLOADS: [Download; 4] = [
    Download {
        verb: "train-squad",
        is_v2: false,
        folder: "squad",
        files: &[
            ("train_file", "train-v1.1.json"),
            ("predict_file", "dev-v1.1.json"),
        ],
    },
    Download {
        verb: "train-squad",
        is_v2: true,
        folder: "squad2",
        files: &[
            ("train_file", "train-v2.0.json"),
            ("predict_file", "dev-v2.0.json"),
        ],
    },
    Download {
        verb: "train-swag",
        is_v2: false,
        folder: "swag",
        files: &[("data_dir", "")],
    },
    Download {
        verb: "train-glue",
        is_v2: false,
        folder: "glue",
        files: &[("data_dir", "")],
    },
];

/// The settings that name what `download` has fetched, for a training that names a model and no data; `None` where
/// nothing of it is there.
pub(super) fn config(verb: &str, given: &ArgMatches) -> Option<Config> {
    if !names(given, "bert_model") || names_data(given) {
        return None;
    }
    let is_v2 = matches!(
        given.try_get_one::<bool>("version_2_with_negative"),
        Ok(Some(true))
    );
    let mut downloads = DOWNLOADS.iter();
    let download = downloads.find(|own| own.verb == verb && own.is_v2 == is_v2)?;
    let dir = downloads_dir().join(download.folder);
    let found = download
        .files
        .iter()
        .filter(|(_, file)| dir.join(file).exists());
    let entries = found.map(|(flag, file)| Entry {
        key: (*flag).to_owned(),
        value: Setting::Text(match *file {
            "" => dir.display().to_string(),
            file => dir.join(file).display().to_string(),
        }),
    });
    let entries: Vec<Entry> = entries.collect();
    (!entries.is_empty()).then(|| Config {
        name: "downloads".to_owned(),
        command: None,
        entries,
    })
}

/// Checks that what is looked for among the downloads has been downloaded.
///
/// # Errors
/// When it has not.
pub(crate) fn check_downloaded(path: &Path) -> anyhow::Result<()> {
    let Ok(inside) = path.strip_prefix(downloads_dir()) else {
        return Ok(());
    };
    let dataset = inside.iter().next().map(Path::new);
    match dataset {
        Some(dataset) if !path.exists() => bad_usage!(
            "{}: found nothing there, expected downloaded data: `cargo xtask download {}` fetches it",
            path.display(),
            dataset.display()
        ),
        _ => Ok(()),
    }
}
