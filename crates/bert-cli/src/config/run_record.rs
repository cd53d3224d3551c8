//! The settings in a run's `run.json` as the flags that give them.

use std::path::{Path, PathBuf};

use bert_report::RunRecord;
use serde_json::{Map, Value};

use super::{Config, Entry, Setting};
use crate::exit::bad_usage;

/// Settings that are flags of the same name.
const SAME: [&str; 15] = [
    "bert_model",
    "from_scratch",
    "output_dir",
    "max_train_examples",
    "seed",
    "eval_steps",
    "early_stopping_patience",
    "precision",
    "optimize_on_cpu",
    "gradient_checkpointing",
    "auto_micro_batch",
    "max_memory",
    "task",
    "max_seq_length",
    "eval_batch_size",
];
/// Settings that follow from others, or say what was done and not what was asked for.
const DERIVED: [&str; 6] = [
    "backend",
    "device",
    "do_lower_case",
    "overwrite_output_dir",
    "score_untrained",
    "trains",
];

/// The settings of a run, so that `--config run.json` repeats it. The device is chosen anew.
///
/// # Errors
/// When the text is no record of a run of this version.
pub(super) fn parse(name: &str, text: &str) -> anyhow::Result<Config> {
    let record: RunRecord = match serde_json::from_str(text) {
        Ok(record) => record,
        Err(error) => bad_usage!("{name}: cannot be read as a run's record: {error}"),
    };
    let Value::Object(settings) = &record.settings else {
        bad_usage!("{name}: found no settings, expected those of a training");
    };
    let mut flags = Flags {
        name,
        entries: Vec::new(),
    };
    for (key, value) in settings {
        match (key.as_str(), value) {
            (_, Value::Null) => {}
            (key, value) if SAME.contains(&key) => flags.push(key, value)?,
            (key, _) if DERIVED.contains(&key) => {}
            ("recipe", Value::Object(recipe)) => flags.recipe(recipe)?,
            ("saving", Value::Object(saving)) => flags.saving(saving)?,
            ("features" | "prediction", Value::Object(group)) => {
                for (key, value) in group {
                    flags.push(key, value)?;
                }
            }
            // Read together, below.
            ("train_file" | "predict_file" | "eval_file" | "test_file" | "files", _) => {}
            _ => bad_usage!("{name}: found the setting {key}, expected those of this version"),
        }
    }
    let command = if settings.contains_key("task") {
        flags.glue_files(settings)?;
        "train-glue"
    } else if settings.contains_key("features") {
        for key in ["train_file", "predict_file"] {
            if let Some(value) = settings.get(key).filter(|value| !value.is_null()) {
                flags.push(key, value)?;
            }
        }
        "train-squad"
    } else {
        flags.swag_folder(settings)?;
        "train-swag"
    };
    Ok(Config {
        name: name.to_owned(),
        command: Some(command.to_owned()),
        entries: flags.entries,
    })
}

struct Flags<'a> {
    name: &'a str,
    entries: Vec<Entry>,
}

impl Flags<'_> {
    fn push(&mut self, key: &str, value: &Value) -> anyhow::Result<()> {
        let value = match value {
            Value::Null => return Ok(()),
            Value::Bool(on) => Setting::Switch(*on),
            Value::Number(number) => Setting::Text(number.to_string()),
            Value::String(text) => Setting::Text(text.clone()),
            other => bad_usage!("{}: {key}: found {other}, expected one value", self.name),
        };
        self.entries.push(Entry {
            key: key.to_owned(),
            value,
        });
        Ok(())
    }

    fn text(&mut self, key: &str, text: impl Into<String>) {
        self.entries.push(Entry {
            key: key.to_owned(),
            value: Setting::Text(text.into()),
        });
    }

    fn recipe(&mut self, recipe: &Map<String, Value>) -> anyhow::Result<()> {
        for (key, value) in recipe {
            match (key.as_str(), value) {
                ("grad_clip", Value::String(off)) if off == "off" => self.text("grad_clip", "none"),
                ("grad_clip", Value::Object(clip)) => {
                    for (kind, norm) in clip {
                        match kind.as_str() {
                            "per_tensor" => self.text("grad_clip", "tensor"),
                            other => self.text("grad_clip", other),
                        }
                        self.push("max_grad_norm", norm)?;
                    }
                }
                // As wide as the longest row that there may be.
                ("pad_to", Value::Number(_)) => {
                    self.push("pad_to_max_length", &Value::Bool(true))?
                }
                ("schedule", Value::String(schedule)) => {
                    self.text("schedule", schedule.replace('_', "-"));
                }
                _ => self.push(key, value)?,
            }
        }
        Ok(())
    }

    fn saving(&mut self, saving: &Map<String, Value>) -> anyhow::Result<()> {
        for (key, value) in saving {
            match (key.as_str(), value) {
                ("save_minutes", Value::Null) => self.text(key, "0"),
                _ => self.push(key, value)?,
            }
        }
        Ok(())
    }

    /// A SWAG run takes the files of one folder.
    fn swag_folder(&mut self, settings: &Map<String, Value>) -> anyhow::Result<()> {
        let files = ["train_file", "eval_file", "test_file"].map(|key| path(settings.get(key)));
        let files: Vec<PathBuf> = files.into_iter().flatten().collect();
        match folder(&files) {
            Some(dir) => self.text("data_dir", dir.display().to_string()),
            None => bad_usage!(
                "{}: found data files of several folders or none, expected those of one",
                self.name
            ),
        }
        self.stages(
            settings,
            "do_eval",
            files.len() > usize::from(settings["train_file"].is_string()),
        );
        Ok(())
    }

    /// A GLUE run takes the files of one folder, or single ones.
    fn glue_files(&mut self, settings: &Map<String, Value>) -> anyhow::Result<()> {
        let files = settings.get("files").unwrap_or(&Value::Null);
        let train = path(files.get("train"));
        let list = |key: &str| -> Vec<PathBuf> {
            let files = files.get(key).and_then(Value::as_array);
            let files = files.into_iter().flatten();
            files.filter_map(|file| path(Some(file))).collect()
        };
        let (dev, test) = (list("dev"), list("test"));
        let all: Vec<PathBuf> = train.iter().chain(&dev).chain(&test).cloned().collect();
        if let Some(dir) = folder(&all) {
            self.text("data_dir", dir.display().to_string());
        }
        // Names of the user's own are not found in a folder.
        for (key, file) in [
            ("train_file", train.as_ref()),
            ("eval_file", dev.first().filter(|_| dev.len() == 1)),
            ("test_file", test.first().filter(|_| test.len() == 1)),
        ] {
            if let Some(file) = file {
                self.text(key, file.display().to_string());
            }
        }
        self.stages(settings, "do_eval", !dev.is_empty() || !test.is_empty());
        Ok(())
    }

    /// Says which of training and predicting a run did, where it did not do both.
    fn stages(&mut self, settings: &Map<String, Value>, predict: &str, predicts: bool) {
        let trains = settings.get("trains") == Some(&Value::Bool(true));
        for (key, on) in [
            ("do_train", trains && !predicts),
            (predict, predicts && !trains),
        ] {
            self.entries.push(Entry {
                key: key.to_owned(),
                value: Setting::Switch(on),
            });
        }
    }
}

fn path(value: Option<&Value>) -> Option<PathBuf> {
    Some(PathBuf::from(value?.as_str()?))
}

/// The folder that all files are in, where it is one.
fn folder(files: &[PathBuf]) -> Option<PathBuf> {
    let mut folders = files.iter().map(|file| file.parent());
    let first = folders.next()??;
    let first = match first.as_os_str().is_empty() {
        true => Path::new("."),
        false => first,
    };
    let same = |dir: Option<&Path>| {
        dir.is_some_and(|dir| {
            dir == first || (dir.as_os_str().is_empty() && first == Path::new("."))
        })
    };
    folders.all(same).then(|| first.to_owned())
}
