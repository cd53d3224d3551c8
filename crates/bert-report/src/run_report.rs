//! Everything that a run's folder says of the run.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use bert_files::{JsonFault, write_atomically};
use bert_records::{MetricsHistory, RecordError, RunRecord, RunStatus, read_eval_results};
use serde_json::{Map, Value};

use crate::{DataCheck, Environment, ReportError, RunDetails, TaskReport};

/// The most bytes of a record that are read. A run's are a few thousand.
const RECORD_LIMIT: u64 = 64 << 20;

type Fallback = fn() -> Option<Value>;

/// The fields of a run's record, and what is taken for one that is missing.
const FIELDS: [(&str, Fallback); 8] = [
    ("version", || Some(Value::from(""))),
    ("created", || Some(Value::from(""))),
    ("status", || None),
    ("finished", || None),
    ("seed", || Some(Value::from(0))),
    ("settings", || Some(Value::Null)),
    ("inputs", || Some(Value::Array(Vec::new()))),
    ("summary", || None),
];

/// Names of scores, and the scores in percent; `None` for one that is not defined.
pub type Scores = Vec<(String, Option<f64>)>;

/// A run as its folder tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct RunReport {
    /// The folder.
    pub dir: PathBuf,
    /// `run.json`. What that lacks is empty here, and listed in [`RunReport::absent`].
    pub record: RunRecord,
    /// The fields that `run.json` lacks.
    pub absent: BTreeSet<&'static str>,
    /// The fields of `run.json` that this version does not know.
    pub other: Map<String, Value>,
    /// `metrics.jsonl`.
    pub metrics: MetricsHistory,
    /// `eval_results.json`.
    pub results: BTreeMap<String, Value>,
    /// What the task is called, from `report.json`.
    pub task_name: Option<String>,
    /// The examples' part, from `report.json`.
    pub task: Option<TaskReport>,
    /// What the files hold that it was trained on, from `report.json`.
    pub data: Option<DataCheck>,
    /// Where the run was made, from `report.json`.
    pub environment: Environment,
}

impl RunReport {
    /// Reads a run's folder. Only `run.json` must be there.
    ///
    /// # Errors
    ///
    /// Fails where there is no `run.json`, and where a file cannot be read or is damaged.
    pub fn read(dir: &Path) -> Result<Self, ReportError> {
        let (record, absent, other) = read_record(dir)?;
        let details = RunDetails::read(dir)?.unwrap_or_default();
        Ok(Self {
            dir: dir.to_owned(),
            record,
            absent,
            other,
            metrics: MetricsHistory::read(dir)?,
            results: read_eval_results(dir)?,
            task_name: details.task_name,
            task: details.task,
            data: details.data,
            environment: details.environment,
        })
    }

    /// What the task is called: as the run says, or after its settings; `None` where neither tells.
    pub fn task_label(&self) -> Option<String> {
        if let Some(name) = &self.task_name {
            return Some(name.clone());
        }
        let settings = &self.record.settings;
        if let Some(task) = settings.get("task").and_then(Value::as_str) {
            return Some(task.to_uppercase());
        }
        if let Some(task) = &self.task {
            return Some(task.family().to_owned());
        }
        if settings.pointer("/features/doc_stride").is_some() {
            return Some("SQuAD".to_owned());
        }
        // SWAG's settings are those of no task in particular: they have an evaluation file where SQuAD has one to
        // predict and GLUE has several.
        settings.get("eval_file").map(|_| "SWAG".to_owned())
    }

    /// The scores that the run is judged by.
    pub fn headline(&self) -> Scores {
        let rows = self.score_rows();
        rows.into_iter()
            .next_back()
            .map_or_else(Vec::new, |(_, scores)| scores)
    }

    /// The scores of each model that the run scored, such as the untrained and the fine-tuned one.
    pub(crate) fn score_rows(&self) -> Vec<(String, Scores)> {
        let summary = self.record.summary.as_ref();
        let table = summary.and_then(|summary| summary.pointer("/outcome/table"));
        let rows = table
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        rows.iter()
            .filter_map(|row| {
                let name = row.get(0)?.as_str()?.to_owned();
                let scores = row.get(1)?.as_array()?.iter().filter_map(|score| {
                    let name = score.get("name")?.as_str()?.to_owned();
                    Some((name, score.get("percent").and_then(Value::as_f64)))
                });
                Some((name, scores.collect()))
            })
            .collect()
    }

    /// What the run's files hold that could not be read, a line each with the file's path. The page says it too.
    pub fn notices(&self) -> Vec<String> {
        let path = self.dir.join("metrics.jsonl");
        let unreadable = self.metrics.unreadable.iter();
        unreadable
            .map(|lines| format!("{}: {lines}", path.display()))
            .collect()
    }

    /// Whether the run has done all that it was to do.
    pub fn is_finished(&self) -> bool {
        self.record.status == RunStatus::Finished
    }
}

/// A report that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenReport {
    /// Where it is.
    pub path: PathBuf,
    /// What of the run's files is not in it: see [`RunReport::notices`].
    pub notices: Vec<String>,
}

/// Writes `report.html` into a run's folder from what the folder holds.
///
/// # Errors
///
/// Fails where the folder is no run's, one of its files is damaged, or the report cannot be written.
pub fn write_report(dir: &Path) -> Result<WrittenReport, ReportError> {
    let report = RunReport::read(dir)?;
    let html = report.render();
    let path = dir.join("report.html");
    write_atomically(&path, |out| out.write_all(html.as_bytes()))?;
    Ok(WrittenReport {
        path,
        notices: report.notices(),
    })
}

type Record = (RunRecord, BTreeSet<&'static str>, Map<String, Value>);

fn read_record(dir: &Path) -> Result<Record, ReportError> {
    let path = dir.join("run.json");
    let Some(json) = bert_files::read_if_present(&path, RECORD_LIMIT)? else {
        return Err(ReportError::NoRecord {
            dir: dir.to_owned(),
        });
    };
    let parse = || {
        let mut fields: Map<String, Value> = serde_json::from_slice(&json)?;
        let mut absent = BTreeSet::new();
        let mut known = Map::new();
        for (name, default) in FIELDS {
            match fields.remove(name) {
                Some(value) => {
                    known.insert(name.to_owned(), value);
                }
                None => {
                    absent.insert(name);
                    if let Some(default) = default() {
                        known.insert(name.to_owned(), default);
                    }
                }
            }
        }
        if absent.is_empty() || serde_json::from_slice::<RunRecord>(&json).is_ok() {
            // From the text, so that an error names its line.
            return Ok((serde_json::from_slice(&json)?, absent, fields));
        }
        Ok((
            serde_json::from_value(Value::Object(known))?,
            absent,
            fields,
        ))
    };
    parse().map_err(|source: JsonFault| RecordError::Parse { path, source }.into())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn folder_with(run: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("run.json"), run).unwrap();
        folder
    }

    #[test]
    fn unknown_fields_are_kept_and_missing_ones_are_told() {
        let folder = folder_with(r#"{"settings": {"task": "mrpc"}, "host": "h"}"#);
        let report = RunReport::read(folder.path()).unwrap();
        assert_eq!(report.other.get("host"), Some(&Value::from("h")));
        assert!(report.absent.contains("seed") && report.absent.contains("created"));
        assert!(!report.absent.contains("settings"));
        assert_eq!(report.task_label().as_deref(), Some("MRPC"));
        assert!(report.headline().is_empty());
    }

    #[test]
    fn damage_is_one_line_that_names_the_file_and_the_place() {
        let folder = tempfile::tempdir().unwrap();
        let message = |dir: &Path| RunReport::read(dir).expect_err("it is damaged").to_string();
        assert!(message(folder.path()).contains("found no run.json"));
        let cases = [
            ("run.json", "{\n\"seed\": }", "line 2"),
            ("run.json", "[]", "run.json"),
            ("run.json", "{\"seed\": -1}", "run.json"),
            ("eval_results.json", "{\n\"f1\"}", "line 2"),
            ("report.json", "{\n\"format\"}", "line 2"),
        ];
        for (name, text, expected) in cases {
            let folder = folder_with("{}");
            fs::write(folder.path().join(name), text).unwrap();
            let message = message(folder.path());
            assert!(
                message.contains(name) && message.contains(expected),
                "{message}"
            );
            assert_eq!(message.lines().count(), 1, "{message}");
        }
    }

    #[test]
    fn a_report_is_written_for_every_run_that_has_a_record() {
        let folder = folder_with(r#"{"status": "unfinished"}"#);
        let report = write_report(folder.path()).unwrap();
        assert!(report.notices.is_empty(), "{report:?}");
        let html = fs::read_to_string(&report.path).unwrap();
        assert!(html.starts_with("<!DOCTYPE html>"), "{html}");
        assert!(html.contains("unfinished"), "{html}");
        let names = bert_files::entries(folder.path()).unwrap().into_iter();
        let names: Vec<_> = names.map(|(name, _)| name).collect();
        assert_eq!(names, ["report.html", "run.json"]);
        assert!(!RunReport::read(folder.path()).unwrap().is_finished());
    }

    #[test]
    fn unreadable_lines_of_a_log_are_named_in_the_page_and_in_a_notice() {
        let folder = folder_with("{}");
        let log = "{\"step\":1,\"loss\":2.0}\n{\"step\" 2}\n[3]\n{\"step\":4,\"loss\":1.0}\n";
        fs::write(folder.path().join("metrics.jsonl"), log).unwrap();
        let report = write_report(folder.path()).unwrap();
        let lines =
            "2 lines are no JSON objects with a step and are left out, the first of them line 2";
        let path = folder.path().join("metrics.jsonl");
        assert_eq!(report.notices, [format!("{}: {lines}", path.display())]);
        let html = fs::read_to_string(&report.path).unwrap();
        assert!(html.contains(&format!("metrics.jsonl: {lines}.")), "{html}");
        assert!(html.contains("<polyline"), "the other lines are drawn");
    }
}
