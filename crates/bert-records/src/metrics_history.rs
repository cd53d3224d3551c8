//! `metrics.jsonl` read back: every number of a run over its steps.

use std::{
    collections::BTreeMap,
    fmt,
    io::{BufRead, BufReader},
    path::Path,
};

use bert_files::FileError;
use serde_json::{Map, Value};

use crate::RecordError;

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
    /// Lines that name a step.
    pub lines: usize,
    /// Lines that tell nothing of a step, and are left out.
    pub unreadable: Option<UnreadableLines>,
    /// Whether the log ends within a line, as that of an interrupted run may.
    pub incomplete: bool,
}

/// Whole lines of a metrics log that are no JSON object with a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnreadableLines {
    /// How many there are.
    pub count: usize,
    /// The first one, counted from 1.
    pub first: usize,
}

impl fmt::Display for UnreadableLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, first } = self;
        if *count == 1 {
            write!(
                f,
                "line {first} is no JSON object with a step and is left out"
            )
        } else {
            write!(
                f,
                "{count} lines are no JSON objects with a step and are left out, the first of them line {first}"
            )
        }
    }
}

impl MetricsHistory {
    /// Reads `metrics.jsonl` of `dir`; one that is missing is an empty history. A line that cannot be read is counted in
    /// [`unreadable`](Self::unreadable): a damaged log is no reason to show nothing of a run.
    ///
    /// # Errors
    ///
    /// Fails where the file cannot be read.
    pub fn read(dir: &Path) -> Result<Self, RecordError> {
        let path = dir.join(FILE_NAME);
        let mut reader = match bert_files::open(&path) {
            Err(error) if error.is_missing() => return Ok(Self::default()),
            opened => BufReader::new(opened?),
        };
        let mut history = Self::default();
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            let length = reader.read_until(b'\n', &mut line);
            if length.map_err(FileError::read(&path))? == 0 {
                break;
            }
            let record = serde_json::from_slice(&line);
            if record.is_err() && !line.ends_with(b"\n") {
                history.incomplete = true;
            } else if !record.is_ok_and(|record| history.add(&record)) {
                let first = UnreadableLines {
                    count: 0,
                    first: number,
                };
                history.unreadable.get_or_insert(first).count += 1;
            }
        }
        Ok(history)
    }

    /// Adds a line's numbers; false where it names no step.
    fn add(&mut self, record: &Value) -> bool {
        let step = record.get("step").and_then(Value::as_f64);
        let (Some(step), Some(fields)) = (step, record.as_object()) else {
            return false;
        };
        self.lines += 1;
        match fields.get("evaluation") {
            None => add_numbers(&mut self.steps, step, fields),
            Some(evaluation) => {
                add_numbers(&mut self.evaluations, step, fields);
                if let Some(scores) = evaluation.as_object() {
                    add_numbers(&mut self.evaluations, step, scores);
                }
            }
        }
        true
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

    fn read(text: &str) -> Result<MetricsHistory, RecordError> {
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
        let unreadable = UnreadableLines { count: 2, first: 4 };
        assert_eq!((history.lines, history.unreadable), (3, Some(unreadable)));
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
        let history = read("{\"step\":1}\n{\"step\":2,\"lo\n{\"step\":3}\n").unwrap();
        assert_eq!((history.lines, history.incomplete), (2, false));
        let unreadable = history.unreadable.expect("a damaged line").to_string();
        assert_eq!(
            unreadable,
            "line 2 is no JSON object with a step and is left out"
        );
        let history = read("{\"step\":1}\n\u{0}\n\n7\n").unwrap();
        assert_eq!(
            history.unreadable.expect("damaged lines").to_string(),
            "3 lines are no JSON objects with a step and are left out, the first of them line 2"
        );
        assert_eq!(read("").unwrap(), MetricsHistory::default());
        let folder = tempfile::tempdir().unwrap();
        let none = MetricsHistory::read(folder.path()).unwrap();
        assert_eq!(none, MetricsHistory::default());
    }
}
