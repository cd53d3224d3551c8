//! Downloaded data, where a training names none.

use std::ffi::OsString;
use std::path::Path;

use clap::ArgMatches;
use clap::parser::ValueSource;

use super::downloads_dir;
use crate::exit::bad_usage;

/// Flags that name data.
const DATA: [&str; 5] = [
    "train_file",
    "predict_file",
    "data_dir",
    "eval_file",
    "test_file",
];

/// The flags that name what `download` has fetched, for a training that has a model and names no data.
pub(super) fn flags(verb: &str, given: &ArgMatches) -> Vec<OsString> {
    let names = |id: &str| {
        given.try_contains_id(id).unwrap_or(false)
            && given.value_source(id) == Some(ValueSource::CommandLine)
    };
    if !names("bert_model") || DATA.iter().any(|id| names(id)) {
        return Vec::new();
    }
    let is_v2 = given.try_get_one::<bool>("version_2_with_negative");
    let (folder, files): (&str, &[(&str, &str)]) = match (verb, matches!(is_v2, Ok(Some(true)))) {
        ("train-squad", true) => (
            "squad2",
            &[
                ("--train-file", "train-v2.0.json"),
                ("--predict-file", "dev-v2.0.json"),
            ],
        ),
        ("train-squad", false) => (
            "squad",
            &[
                ("--train-file", "train-v1.1.json"),
                ("--predict-file", "dev-v1.1.json"),
            ],
        ),
        ("train-swag", _) => ("swag", &[("--data-dir", "")]),
        ("train-glue", _) => ("glue", &[("--data-dir", "")]),
        _ => return Vec::new(),
    };
    let dir = downloads_dir().join(folder);
    let found = files.iter().filter(|(_, file)| dir.join(file).exists());
    found
        .map(|(flag, file)| {
            let mut word = OsString::from(format!("{flag}="));
            let path = match *file {
                "" => dir.clone(),
                file => dir.join(file),
            };
            word.push(path);
            word
        })
        .collect()
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
