//! `metrics.jsonl` read back: every number of a run over its steps.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufRead, BufReader},
    path::Path,
};

use serde_json::{Map, Value};

use crate::ReportError;

const FILE_NAME: &str = "metrics.jsonl";

/// A number over the steps of a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Series {
    /// Steps, in increasing order, and values. A value that was logged but is not finite is NaN.
    pub points: Vec<(f64, f64)>,
}

impl Series {
    /// How many values are not finite.
    pub fn not_finite(&self) -> usize {
        let odd = self.points.iter().filter(|(_, value)| !value.is_finite());
        odd.count()
    }

    /// The last value that is finite.
    pub fn last(&self) -> Option<f64> {
        let mut values = self.points.iter().rev().map(|(_, value)| *value);
        values.find(|value| value.is_finite())
    }

    /// A run that was resumed may log a step again: what came last counts.
    fn push(&mut self, step: f64, value: f64) {
        while self.points.last().is_some_and(|(last, _)| *last >= step) {
            self.points.pop();
        }
        self.points.push((step, value));
    }
}

/// What a metrics log holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetricsHistory {
    /// The numbers of the training steps, such as `loss`, by their keys.
    pub steps: BTreeMap<String, Series>,
    /// The numbers of the evaluations, such as `f1`, by their keys, and the `score` that models are chosen by.
    pub evaluations: BTreeMap<String, Series>,
    /// Lines that are whole.
    pub lines: usize,
    /// Lines that name no step and are not shown.
    pub without_step: usize,
    /// Whether the log ends within a line, as that of an interrupted run may.
    pub incomplete: bool,
}

impl MetricsHistory {
    /// Reads `metrics.jsonl` of `dir`; one that is missing is an empty history.
    ///
    /// # Errors
    ///
    /// Fails where the file cannot be read and where one of its whole lines is no JSON.
    pub fn read(dir: &Path) -> Result<Self, ReportError> {
        let path = dir.join(FILE_NAME);
        let read_error = |source| ReportError::Read {
            path: path.clone(),
            source,
        };
        let mut reader = match File::open(&path) {
            Ok(file) => BufReader::new(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(read_error(source)),
        };
        let mut history = Self::default();
        let mut line = Vec::new();
        loop {
            line.clear();
            if reader.read_until(b'\n', &mut line).map_err(read_error)? == 0 {
                return Ok(history);
            }
            let is_whole = line.ends_with(b"\n");
            match serde_json::from_slice(&line) {
                Ok(record) => history.add(&record),
                Err(_) if !is_whole => history.incomplete = true,
                Err(source) => {
                    return Err(ReportError::MetricsLine {
                        line: history.lines + 1,
                        path,
                        source,
                    });
                }
            }
        }
    }

    fn add(&mut self, record: &Value) {
        self.lines += 1;
        let step = record.get("step").and_then(Value::as_f64);
        let (Some(step), Some(fields)) = (step, record.as_object()) else {
            self.without_step += 1;
            return;
        };
        match fields.get("evaluation") {
            None => add_numbers(&mut self.steps, step, fields),
            Some(evaluation) => {
                add_numbers(&mut self.evaluations, step, fields);
                if let Some(scores) = evaluation.as_object() {
                    add_numbers(&mut self.evaluations, step, scores);
                }
            }
        }
    }
}

/// JSON has no word for what is not finite: it is logged as null.
fn add_numbers(series: &mut BTreeMap<String, Series>, step: f64, fields: &Map<String, Value>) {
    for (key, value) in fields {
        let value = match value {
            Value::Number(number) => number.as_f64().unwrap_or(f64::NAN),
            Value::Null => f64::NAN,
            _ => continue,
        };
        if key != "step" {
            // A lookup first: nearly every key is there, and `entry` would copy it.
            match series.get_mut(key) {
                Some(series) => series.push(step, value),
                None => series.entry(key.clone()).or_default().push(step, value),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read(text: &str) -> Result<MetricsHistory, ReportError> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE_NAME), text).unwrap();
        MetricsHistory::read(folder.path())
    }

    #[test]
    fn steps_and_evaluations_are_told_apart() {
        let history = read(concat!(
            "{\"step\":1,\"loss\":2.0,\"note\":\"x\"}\n",
            "{\"step\":1,\"evaluation\":{\"f1\":50.0,\"note\":\"x\"},\"score\":50}\n",
            "{\"step\":2,\"loss\":null}\n{\"odd\":1}\n7\n"
        ))
        .unwrap();
        assert_eq!(
            history.steps.keys().collect::<Vec<_>>(),
            ["loss"],
            "text is no series"
        );
        let loss = &history.steps["loss"];
        assert_eq!((loss.not_finite(), loss.last()), (1, Some(2.0)));
        assert_eq!(history.evaluations["f1"].points, [(1.0, 50.0)]);
        assert_eq!(history.evaluations["score"].points, [(1.0, 50.0)]);
        assert_eq!((history.lines, history.without_step), (5, 2));
        assert!(!history.incomplete);
    }

    #[test]
    fn what_a_resumed_run_logged_again_replaces_what_was_there() {
        let lines = [(1, 1.0), (2, 2.0), (3, 3.0), (2, 20.0), (4, 4.0)];
        let text: String = lines
            .iter()
            .map(|(step, loss)| format!("{{\"step\":{step},\"loss\":{loss}}}\n"))
            .collect();
        let history = read(&text).unwrap();
        assert_eq!(
            history.steps["loss"].points,
            [(1.0, 1.0), (2.0, 20.0), (4.0, 4.0)]
        );
    }

    #[test]
    fn an_end_within_a_line_is_told_and_a_damaged_line_is_named() {
        let history = read("{\"step\":1,\"loss\":2.0}\n{\"step\":2,\"lo").unwrap();
        assert!(history.incomplete);
        assert_eq!(history.lines, 1);
        let message = read("{\"step\":1}\n{\"step\":2,\"lo\n{\"step\":3}\n")
            .expect_err("a damaged line")
            .to_string();
        assert!(
            message.contains("metrics.jsonl:2: cannot be read"),
            "{message}"
        );
        assert_eq!(message.lines().count(), 1, "{message}");
        assert_eq!(read("").unwrap(), MetricsHistory::default());
        let folder = tempfile::tempdir().unwrap();
        let none = MetricsHistory::read(folder.path()).unwrap();
        assert_eq!(none, MetricsHistory::default());
    }
}
