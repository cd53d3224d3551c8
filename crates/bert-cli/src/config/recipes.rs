//! The recipes that come with the program, as files under `recipes`.

use std::path::PathBuf;

use serde::Deserialize;

use super::{Config, Setting, file};
use crate::exit::bad_usage;

/// Where downloaded data are, in a recipe.
const DOWNLOADS: &str = "{downloads}";

/// The verb, the name and the text of each.
const RECIPES: [(&str, &str, &str); 10] = [
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
];

/// Reads `--recipe NAME`.
///
/// # Errors
/// When the verb has no recipe of that name.
pub(super) fn read(verb: &str, name: &str) -> anyhow::Result<Config> {
    let own = RECIPES.iter().filter(|(command, ..)| *command == verb);
    let Some((.., text)) = own.clone().find(|(_, own, _)| *own == name) else {
        let names: Vec<&str> = own.map(|(_, name, _)| *name).collect();
        bad_usage!(
            "--recipe: found {name:?}, expected one of {} (or --config FILE for a file of your own)",
            names.join(", ")
        );
    };
    let mut config = file::parse(&format!("recipe {name} of {verb}"), text)?;
    let downloads = downloads_dir().display().to_string();
    for entry in &mut config.entries {
        if let Setting::Text(text) = &mut entry.value {
            *text = text.replace(DOWNLOADS, &downloads);
        }
    }
    Ok(config)
}

/// Where `download` puts data and the training commands look for them.
pub(crate) fn downloads_dir() -> PathBuf {
    std::env::var_os("BERT_DOWNLOADS_DIR").map_or_else(|| "data/downloads".into(), PathBuf::from)
}

/// What the demo does otherwise than the 2018 scripts.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub(crate) struct Demo {
    pub(crate) train_batch_size: usize,
    pub(crate) learning_rate: f64,
    pub(crate) num_train_epochs: f64,
    pub(crate) max_seq_length: usize,
    /// SQuAD's.
    #[serde(default)]
    pub(crate) doc_stride: usize,
    /// SQuAD's.
    #[serde(default)]
    pub(crate) max_query_length: usize,
}

/// The demo recipe of a verb.
pub(crate) fn demo(verb: &str) -> Demo {
    let recipe = RECIPES
        .iter()
        .find(|(command, name, _)| *command == verb && *name == "demo");
    let (.., text) = recipe.expect("every training has a demo");
    toml::from_str(text).expect("the demo's recipe has these settings")
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
            let merged = crate::config::with_config(&Cli::command(), words).unwrap();
            let settings = text.parse::<toml::Table>().unwrap().len() - 1;
            assert!(merged.len() >= 4 + settings, "{verb} {name}: {merged:?}");
            let parsed = Cli::command().try_get_matches_from(&merged);
            assert!(parsed.is_ok(), "{verb} {name}: {merged:?}: {parsed:?}");
        }
    }

    #[test]
    fn every_training_has_a_demo() {
        assert_eq!(demo("train-squad").doc_stride, 64);
        assert_eq!(demo("train-swag").num_train_epochs, 12.0);
        assert_eq!(demo("train-glue").learning_rate, 5e-4);
    }
}
