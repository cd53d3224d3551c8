//! Flags of ours that several of the scripts' flags give together, and what a command line of `transformers` means where it
//! says nothing.

mod data;
mod evaluation;
mod recipe;

use std::ffi::OsString;
use std::path::Path;

use super::spelling::Verb;
use super::words::Words;
use crate::exit::bad_usage;

/// A command line while it becomes one of ours.
pub(super) struct Deciding {
    verb: Verb,
    /// The script that the command line names.
    script: Option<&'static str>,
    is_transformers: bool,
    pub(super) words: Words,
    /// The flags that are added.
    pub(super) flags: Vec<OsString>,
    pub(super) notes: Vec<String>,
    pub(super) decisions: Vec<String>,
    pub(super) defaults: Vec<(&'static str, String)>,
}

impl Deciding {
    pub(super) fn new(
        verb: Verb,
        script: Option<&'static str>,
        is_transformers: bool,
        words: Words,
    ) -> Self {
        Self {
            verb,
            script,
            is_transformers,
            words,
            flags: Vec::new(),
            notes: Vec::new(),
            decisions: Vec::new(),
            defaults: Vec::new(),
        }
    }

    /// Adds a flag with a value.
    pub(super) fn push(&mut self, flag: &str, value: impl std::fmt::Display) {
        self.flags.push(format!("--{flag}={value}").into());
    }

    /// Adds a flag without one.
    pub(super) fn push_switch(&mut self, flag: &str) {
        self.flags.push(format!("--{flag}").into());
    }

    fn get(&self, flag: &str) -> Option<String> {
        self.words.get(flag).map(str::to_owned)
    }

    /// Decides all that depends on several flags.
    ///
    /// # Errors
    /// When they ask for what is not here.
    pub(super) fn decide(&mut self) -> anyhow::Result<()> {
        self.model()?;
        self.data()?;
        self.stages();
        self.batch()?;
        self.steps()?;
        self.schedule()?;
        self.optimizer()?;
        self.clip()?;
        self.evaluation()?;
        self.saving()?;
        self.precision();
        if self.is_transformers {
            self.features();
            self.decisions.push(
                "batches are padded to their longest row (there to --max-seq-length, as --pad-to-max-length does)"
                    .to_owned(),
            );
        }
        Ok(())
    }

    fn model(&mut self) -> anyhow::Result<()> {
        let Some(model) = self.get("model-name-or-path") else {
            return Ok(());
        };
        for flag in ["config-name", "tokenizer-name"] {
            if let Some(other) = self.get(flag).filter(|other| *other != model) {
                bad_usage!(
                    "--{flag}: found {other}, expected {model}: a checkpoint is one folder with config.json, vocabulary and \
                     weights"
                );
            }
        }
        match self
            .get("model-revision")
            .filter(|revision| revision != "main")
        {
            Some(revision) if !Path::new(&model).exists() => {
                self.push("bert-model", format!("{model}@{revision}"));
            }
            _ => self.push("bert-model", model),
        }
        Ok(())
    }

    fn precision(&mut self) {
        let precision = match (self.words.is_on("bf16"), self.words.get("tf32")) {
            (true, _) => "bf16",
            (false, Some("true")) => "tf32",
            (false, Some(_)) => "fp32",
            (false, None) => return,
        };
        self.push("precision", precision);
    }

    /// Windows and rows.
    fn features(&mut self) {
        // `run_squad.py` of 2018 to 2020 counts the distance; it alone asks for the model's type.
        let is_run_squad =
            self.script == Some("run_squad.py") || self.words.get("model-type").is_some();
        match self.verb {
            Verb::Squad if is_run_squad => {
                self.decisions
                    .push("--doc-stride is the distance of windows, as in run_squad.py".to_owned());
            }
            Verb::Squad => {
                self.defaults.push(("doc_stride_is", "overlap".to_owned()));
                self.decisions.push("--doc-stride is the overlap of windows, as in run_qa.py (here otherwise their distance)".to_owned());
            }
            Verb::Swag
                if !self.words.has_own("max-seq-length") && !self.words.has_own("data-dir") =>
            {
                self.defaults.push(("max_seq_length", "512".to_owned()));
                self.decisions.push("rows have up to 512 tokens, as in run_swag.py without --max-seq-length (here otherwise 128)".to_owned());
            }
            Verb::Swag | Verb::Glue => {}
        }
    }
}

/// A number of steps or examples.
pub(super) fn whole(flag: &str, text: &str) -> anyhow::Result<usize> {
    match text.parse::<f64>() {
        Ok(number) if number >= 1.0 && number.fract() == 0.0 && number < 1e15 => {
            Ok(number as usize)
        }
        Ok(number) if number > 0.0 && number < 1.0 => {
            bad_usage!(
                "--{flag}: found {text}, a share of the run's steps, expected a number of steps"
            )
        }
        _ => bad_usage!("--{flag}: found {text}, expected a whole number, at least 1"),
    }
}
