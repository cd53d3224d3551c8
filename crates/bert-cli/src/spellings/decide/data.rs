//! Files, and what is done with them.

use std::path::Path;

use super::{Deciding, Verb};
use crate::config::downloads_dir;
use crate::exit::bad_usage;

impl Deciding {
    pub(super) fn data(&mut self) -> anyhow::Result<()> {
        let dataset = self.get("dataset-name");
        let config = self.get("dataset-config-name");
        let own = dataset
            .as_deref()
            .map(|name| name.rsplit('/').next().unwrap_or(name));
        let wanted = match self.verb {
            Verb::Squad => &["squad", "squad_v2"][..],
            Verb::Swag => &["swag"],
            Verb::Glue => &["glue"],
        };
        if let Some(other) = own.filter(|own| !wanted.contains(own)) {
            bad_usage!(
                "--dataset-name: found {other}, expected {}: write other data into a file and give it as --train-file",
                wanted.join(" or ")
            );
        }
        let names_task = self.words.has_own("task") || self.words.has_own("task-name");
        let names_files = ["data-dir", "train-file", "validation-file", "test-file"]
            .iter()
            .any(|flag| self.words.has_own(flag) || self.words.get(flag).is_some());
        let names_files = names_files
            || ["predict-file", "eval-file"]
                .iter()
                .any(|flag| self.words.has_own(flag));
        let downloads = downloads_dir();
        match (self.verb, own) {
            (Verb::Squad, Some(name)) => self.squad_files(name == "squad_v2"),
            (Verb::Swag, Some(_)) => self.push("data-dir", downloads.join("swag").display()),
            (Verb::Glue, Some(_)) => {
                self.push("data-dir", downloads.join("glue").display());
                match config {
                    Some(task) if !names_task => self.push("task", task),
                    _ => {}
                }
            }
            (Verb::Glue, None) if self.is_transformers && !names_task && names_files => {
                self.push("task", "csv");
            }
            // The scripts' own choice, where they name no file.
            (Verb::Glue, None) if self.is_transformers && !names_files => {
                self.push("data-dir", downloads.join("glue").display());
            }
            (Verb::Swag, None) if self.is_transformers && !names_files => {
                self.push("data-dir", downloads.join("swag").display());
            }
            _ => {}
        }
        if let Some(names) = self.get("text-column-names") {
            if names.contains(',') {
                bad_usage!(
                    "--text-column-names: found {names}, expected one column: put the texts into one, or give the two of a pair as \
                     --text-column and --text-pair-column"
                );
            }
            self.push("text-column", names);
        }
        self.files();
        Ok(())
    }

    /// SQuAD among the downloads.
    fn squad_files(&mut self, is_v2: bool) {
        let (folder, version) = if is_v2 {
            ("squad2", "v2.0")
        } else {
            ("squad", "v1.1")
        };
        let dir = downloads_dir().join(folder);
        for (flag, part) in [("train-file", "train"), ("predict-file", "dev")] {
            self.push(flag, dir.join(format!("{part}-{version}.json")).display());
        }
    }

    fn files(&mut self) {
        let validation = self.get("validation-file");
        if self.verb != Verb::Squad {
            if let Some(file) = validation {
                self.push("eval-file", file);
            }
            return;
        }
        let answered = validation.is_some() || self.words.has_own("predict-file");
        if let Some(file) = &validation {
            self.push("predict-file", file);
        }
        match self.get("test-file") {
            Some(file) if !answered => self.push("predict-file", file),
            Some(file) => self.notes.push(format!(
                "--test-file is not answered here: `bert predict-squad --model OUT --predict-file {file} --output-dir …` does it"
            )),
            None => {}
        }
        match self.get("max-predict-samples") {
            Some(most) if !answered => self.push("max-eval-examples", most),
            Some(_) => self.notes.push(
                "--max-predict-samples does nothing here: no test file is answered".to_owned(),
            ),
            None => {}
        }
        if let Some(dir) = self.get("data-dir") {
            let is_v2 = self.words.has_own("version-2-with-negative");
            let version = if is_v2 { "v2.0" } else { "v1.1" };
            for (flag, part) in [("train-file", "train"), ("predict-file", "dev")] {
                let own = self.words.own(flag);
                self.words.remove_own(flag);
                let name = own.unwrap_or_else(|| format!("{part}-{version}.json"));
                self.push(flag, Path::new(&dir).join(name).display());
            }
        }
    }

    pub(super) fn stages(&mut self) {
        let evaluates = self.words.is_on("do-eval") || self.words.is_on("do-predict");
        let ours = match self.verb {
            Verb::Squad => "do-predict",
            Verb::Swag | Verb::Glue => "do-eval",
        };
        if evaluates && !self.words.has_own(ours) {
            self.push_switch(ours);
        }
    }
}
