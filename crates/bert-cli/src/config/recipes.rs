//! The recipes that come with the program, as files under `recipes`.

use std::path::{Path, PathBuf};

use super::{Config, demo, file};
use crate::exit::bad_usage;

/// The folder of downloaded data, in a recipe.
const DOWNLOADS: &str = "{downloads}";
/// The folder of the demo's files, in a recipe.
const DEMO: &str = "{demo}";

/// The verb, the name and the text of each.
const RECIPES: [(&str, &str, &str); 11] = [
    (
        "train-squad",
        "demo",
        include_str!("../../recipes/squad/demo.toml"),
    ),
    (
        "train-squad",
        "base",
        include_str!("../../recipes/squad/base.toml"),
    ),
    (
        "train-squad",
        "large",
        include_str!("../../recipes/squad/large.toml"),
    ),
    (
        "train-squad",
        "base-v2",
        include_str!("../../recipes/squad/base-v2.toml"),
    ),
    (
        "train-swag",
        "demo",
        include_str!("../../recipes/swag/demo.toml"),
    ),
    (
        "train-swag",
        "base",
        include_str!("../../recipes/swag/base.toml"),
    ),
    (
        "train-swag",
        "large",
        include_str!("../../recipes/swag/large.toml"),
    ),
    (
        "train-glue",
        "demo",
        include_str!("../../recipes/glue/demo.toml"),
    ),
    (
        "train-glue",
        "base",
        include_str!("../../recipes/glue/base.toml"),
    ),
    (
        "train-glue",
        "large",
        include_str!("../../recipes/glue/large.toml"),
    ),
    (
        "train-glue",
        "stable",
        include_str!("../../recipes/glue/stable.toml"),
    ),
];

/// Each recipe's verb and name, and what its file says of it up to the first colon or full stop.
pub(crate) fn all() -> impl Iterator<Item = (&'static str, &'static str, String)> {
    RECIPES.into_iter().map(|(verb, name, text)| {
        let comments = text.lines().map_while(|line| line.strip_prefix("# "));
        let about = comments.collect::<Vec<_>>().join(" ");
        let ends = [": ", ". "].into_iter().filter_map(|end| about.find(end));
        let end = ends.min().unwrap_or(about.len());
        (verb, name, about[..end].to_owned())
    })
}

/// A recipe's file as `--config` takes it, with the folders that it names filled in.
///
/// # Errors
/// When the verb has no recipe of that name, or the demo's files cannot be found or written.
pub(crate) fn text(verb: &str, name: &str) -> anyhow::Result<String> {
    let own = RECIPES.iter().filter(|(command, ..)| *command == verb);
    let Some((.., text)) = own.clone().find(|(_, own, _)| *own == name) else {
        let names: Vec<&str> = own.map(|(_, name, _)| *name).collect();
        bad_usage!(
            "--recipe: found {name:?}, expected one of {} (or --config FILE for a file of your own)",
            names.join(", ")
        );
    };
    let mut text = (*text).to_owned();
    if text.contains(DOWNLOADS) {
        text = text.replace(DOWNLOADS, &quotable(&downloads_dir()));
    }
    if text.contains(DEMO) {
        text = text.replace(DEMO, &quotable(&demo::dir()?));
    }
    Ok(text)
}

/// A path as it stands within a string of TOML.
fn quotable(path: &Path) -> String {
    let path = path.display().to_string();
    path.replace('\\', "\\\\").replace('"', "\\\"")
}

/// Reads `--recipe NAME`.
///
/// # Errors
/// When the verb has no recipe of that name, or the demo's files cannot be found or written.
pub(super) fn read(verb: &str, name: &str) -> anyhow::Result<Config> {
    file::parse(&format!("recipe {name} of {verb}"), &text(verb, name)?)
}

/// Where `download` puts data and the training commands look for them.
pub(crate) fn downloads_dir() -> PathBuf {
    std::env::var_os("BERT_DOWNLOADS_DIR").map_or_else(|| "data/downloads".into(), PathBuf::from)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::args::Cli;

    #[test]
    fn every_recipe_parses_as_its_commands_flags() {
        for (verb, name, text) in RECIPES {
            let mut words: Vec<std::ffi::OsString> =
                ["bert", verb, "--recipe", name].map(Into::into).to_vec();
            if verb == "train-glue" {
                words.extend(["--task", "mrpc"].map(Into::into));
            }
            let merged = crate::config::with_config(&Cli::command(), words, Vec::new()).unwrap();
            let settings = text.parse::<toml::Table>().unwrap().len() - 1;
            assert!(merged.len() >= 4 + settings, "{verb} {name}: {merged:?}");
            let parsed = Cli::command().try_get_matches_from(&merged);
            assert!(parsed.is_ok(), "{verb} {name}: {merged:?}: {parsed:?}");
        }
    }
}
