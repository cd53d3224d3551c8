//! A model card: what those who are given a model's folder want to know, as the Hugging Face hub reads it.
//!
//! Form and keys of the description at its head: <https://huggingface.co/docs/hub/model-cards>.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use bert_files::{FileError, read_if_present, write_atomically};
use serde_json::{Value, json};

use crate::html::leaves;
use crate::{ReportError, RunReport};

const FILE_NAME: &str = "README.md";
/// Stands in each card, so that a later run knows what it may replace.
const MARK: &str = "<!-- Written by `bert` -->";
/// The most bytes of an earlier card that are read.
const LIMIT: u64 = 16 << 20;

/// Commands, the hub's word for what they train, and how the model is used.
const TASKS: [(&str, &str, &str); 3] = [
    (
        "train-squad",
        "question-answering",
        "bert ask --model DIR --text \"A text.\" \"A question?\"",
    ),
    (
        "train-swag",
        "multiple-choice",
        "bert choose --model DIR --context \"A beginning.\" \"One ending.\" \"Another.\"",
    ),
    (
        "train-glue",
        "text-classification",
        "bert classify --model DIR \"A text.\"",
    ),
];

/// Names of scores here, and those of the hub's metrics.
const METRICS: [(&str, &str); 2] = [("EM", "exact_match"), ("Matthews", "matthews_correlation")];

/// Writes `README.md` into the folder of a run that has ended, unless there is one that somebody else wrote; whether it
/// is written.
///
/// # Errors
///
/// Fails where the folder is no run's, one of its files is damaged, or the card cannot be written.
pub fn write_card(dir: &Path) -> Result<bool, ReportError> {
    let path = dir.join(FILE_NAME);
    if path.exists() && !is_ours(&path)? {
        return Ok(false);
    }
    let card = RunReport::read(dir)?.card();
    write_atomically(&path, |out| out.write_all(card.as_bytes()))?;
    Ok(true)
}

/// Removes the card of an earlier run, if there is one.
///
/// # Errors
///
/// Fails where it cannot be read or removed.
pub fn remove_card(dir: &Path) -> Result<(), ReportError> {
    let path = dir.join(FILE_NAME);
    if is_ours(&path)? {
        fs::remove_file(&path).map_err(FileError::write(&path))?;
    }
    Ok(())
}

/// Whether a file is there, and is a card of this program's.
fn is_ours(path: &Path) -> Result<bool, ReportError> {
    let text = read_if_present(path, LIMIT)?;
    Ok(text.is_some_and(|text| String::from_utf8_lossy(&text).contains(MARK)))
}

impl RunReport {
    /// The run's model card, as Markdown under a description in YAML.
    pub fn card(&self) -> String {
        let name = self.name();
        let label = self.task_label().unwrap_or_else(|| "a task".to_owned());
        let command = self.setting("command");
        let task = TASKS.iter().find(|(verb, ..)| Some(*verb) == command);
        let base = self.setting("bert_model").unwrap_or("a model");
        let scratch = self.record.settings.get("from_scratch") == Some(&Value::Bool(true));
        let mut card = self.description(&name, task.map(|(_, tag, _)| *tag));
        // Writing to a string does not fail.
        let mut line = |text: &str| _ = writeln!(card, "{text}");
        line(&format!("{MARK}\n# {}\n", markdown(&name)));
        line(&match scratch {
            true => format!(
                "A BERT of the shape of `{}`, trained on {} from random weights.",
                code(base),
                markdown(&label)
            ),
            false => format!("`{}`, fine-tuned on {}.", code(base), markdown(&label)),
        });
        if let Some((.., usage)) = task {
            line(&format!("\n```sh\n{usage}\n```"));
        }
        line("\n`transformers` loads this folder too.\n");
        let rows = self.score_rows();
        if let Some((_, scores)) = rows.last() {
            line("## Scores\n");
            let names = scores.iter().map(|(name, _)| markdown(name));
            line(&row("model", names));
            line(&row("---", scores.iter().map(|_| "---".to_owned())));
            for (model, scores) in &rows {
                line(&row(model, scores.iter().map(|(_, score)| percent(*score))));
            }
            line("");
        }
        line("## Data\n");
        line("| file | bytes | SHA-256 |\n| --- | --- | --- |");
        for file in &self.record.inputs {
            let cells = [file.bytes.to_string(), format!("`{}`", file.sha256)];
            line(&row(&format!("`{}`", code(&file.path)), cells.into_iter()));
        }
        let summary = self.record.summary.as_ref();
        let left_out = summary.and_then(|summary| summary.get("left_out")?.as_array());
        let left_out: Vec<&str> = left_out
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        line("\nWhat of the data was left out:\n");
        match &left_out[..] {
            [] => line("- nothing"),
            lines => lines
                .iter()
                .for_each(|it| line(&format!("- {}", markdown(it)))),
        }
        line(&format!("\n## Recipe\n\nSeed {}.\n", self.record.seed));
        line("| setting | value |\n| --- | --- |");
        for group in ["recipe", "features", "execution", "compute"] {
            let settings = self.record.settings.get(group).unwrap_or(&Value::Null);
            for (name, value) in leaves(settings).iter().filter(|(name, _)| !name.is_empty()) {
                line(&row(
                    name,
                    [format!("`{}`", code(&plain(value)))].into_iter(),
                ));
            }
        }
        line("\n## Where it was trained\n\n| | |\n| --- | --- |");
        for (name, value) in &self.environment.entries {
            line(&row(name, [markdown(value)].into_iter()));
        }
        card
    }

    fn setting(&self, name: &str) -> Option<&str> {
        self.record.settings.get(name)?.as_str()
    }

    /// The block of YAML at a card's head. Its values are JSON, which YAML reads.
    fn description(&self, name: &str, tag: Option<&str>) -> String {
        let mut text = "---\nlibrary_name: transformers\ntags: [\"bert\", \"burn\"]\n".to_owned();
        let mut entry = |key: &str, value: Value| _ = writeln!(text, "{key}: {value}");
        if let Some(tag) = tag {
            entry("pipeline_tag", json!(tag));
        }
        // The hub takes names of models: a path of this machine is none.
        let base = self.setting("bert_model");
        if let Some(base) = base.filter(|base| !Path::new(base).exists() && !base.starts_with('/'))
        {
            entry("base_model", json!(base));
        }
        let scores = self.headline();
        let defined = scores
            .iter()
            .filter_map(|(name, score)| Some((name, (*score)?)));
        let metrics: Vec<Value> = defined
            .map(|(name, score)| {
                let known = METRICS.iter().find(|(own, _)| own == name);
                let kind =
                    known.map_or_else(|| name.to_lowercase(), |(_, kind)| (*kind).to_owned());
                json!({"type": kind, "name": name, "value": score})
            })
            .collect();
        if let Some(tag) = tag.filter(|_| !metrics.is_empty()) {
            let label = self.task_label().unwrap_or_default();
            entry(
                "model-index",
                json!([{"name": name, "results": [{
                    "task": {"type": tag},
                    "dataset": {"type": label.to_lowercase(), "name": label},
                    "metrics": metrics,
                }]}]),
            );
        }
        text.push_str("---\n\n");
        text
    }
}

/// A line of a table.
fn row(first: &str, others: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = std::iter::once(first.to_owned()).chain(others).collect();
    format!("| {} |", cells.join(" | "))
}

fn percent(score: Option<f64>) -> String {
    score.map_or_else(|| "undefined".to_owned(), |score| format!("{score:.2}"))
}

/// A setting's value in few characters.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "none".to_owned(),
        other => other.to_string(),
    }
}

/// A text as Markdown shows it: on one line, its signs without their meaning.
fn markdown(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        match character {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '&' => {
                out.extend(['\\', character]);
            }
            _ if character.is_control() => out.push(' '),
            _ => out.push(character),
        }
    }
    out
}

/// A text between backticks in a table.
fn code(text: &str) -> String {
    let clean = text.chars().map(|it| {
        if it.is_control() || it == '`' {
            ' '
        } else {
            it
        }
    });
    clean.collect::<String>().replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let table = json!([["fine-tuned", [{"name": "EM", "percent": 81.25}, {"name": "F1", "percent": null}]]]);
        let run = json!({
            "version": "0.1.0", "created": "2026-01-01T00:00:00Z", "seed": 7,
            "settings": {
                "command": "train-squad", "bert_model": "bert-base-uncased",
                "recipe": {"learning_rate": 0.25},
            },
            "inputs": [{"path": "data/a|b.json", "bytes": 3, "sha256": "00"}],
            "summary": {"left_out": ["1 question has *no* answer"], "outcome": {"table": table}},
        });
        fs::write(folder.path().join("run.json"), run.to_string()).unwrap();
        folder
    }

    #[test]
    fn a_card_says_what_the_model_is() {
        let folder = folder();
        assert!(write_card(folder.path()).unwrap());
        let card = fs::read_to_string(folder.path().join(FILE_NAME)).unwrap();
        for expected in [
            "---\nlibrary_name: transformers\n",
            "\npipeline_tag: \"question-answering\"\n",
            "\nbase_model: \"bert-base-uncased\"\n",
            r#""metrics":[{"name":"EM","type":"exact_match","value":81.25}]"#,
            "\n| fine-tuned | 81.25 | undefined |\n",
            "\n| `data/a\\|b.json` | 3 | `00` |\n",
            "\n- 1 question has \\*no\\* answer\n",
            "\n| learning_rate | `0.25` |\n",
            "\nSeed 7.\n",
        ] {
            assert!(card.contains(expected), "{expected}\n{card}");
        }
    }

    #[test]
    fn a_card_replaces_its_own_kind_only() {
        let folder = folder();
        let path = folder.path().join(FILE_NAME);
        fs::write(&path, "# Mine\n").unwrap();
        assert!(!write_card(folder.path()).unwrap());
        remove_card(folder.path()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "# Mine\n");
        fs::write(&path, format!("{MARK}\nan earlier one")).unwrap();
        assert!(write_card(folder.path()).unwrap());
        assert!(
            !fs::read_to_string(&path)
                .unwrap()
                .contains("an earlier one")
        );
        remove_card(folder.path()).unwrap();
        assert!(!path.exists());
        remove_card(folder.path()).unwrap();
    }
}
