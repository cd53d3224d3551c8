//! `report.json`: what a report shows that no other file of a run holds.

use std::path::Path;

use bert_files::JsonFault;
use bert_records::write_json;
use serde::{Deserialize, Serialize};

use crate::{DataCheck, ReportError, TaskReport};

const FILE_NAME: &str = "report.json";
const FORMAT: u64 = 1;
/// The most bytes of details that are read. A run's are below one million.
const LIMIT: u64 = 256 << 20;

/// Where a run was made: names and values, such as `("CPU", "…")`, in the order they are shown in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Environment {
    /// Names and values.
    pub entries: Vec<(String, String)>,
}

impl Environment {
    /// Adds a line.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.entries.push((name.into(), value.into()));
    }
}

/// What a run keeps for its report.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RunDetails {
    /// What the task is called, such as `SQuAD 1.1` or `MRPC`; runs are compared only within one.
    #[serde(default)]
    pub task_name: Option<String>,
    /// Where the run was made.
    #[serde(default)]
    pub environment: Environment,
    /// What the files hold that the run was trained on.
    #[serde(default)]
    pub data: Option<DataCheck>,
    /// The examples' part, once the run has been evaluated.
    #[serde(default)]
    pub task: Option<TaskReport>,
}

#[derive(Serialize, Deserialize)]
struct File<T> {
    format: u64,
    #[serde(flatten)]
    details: T,
}

impl RunDetails {
    /// Writes `report.json` into `dir`, atomically.
    ///
    /// # Errors
    ///
    /// Fails where the file cannot be written.
    pub fn write(&self, dir: &Path) -> Result<(), ReportError> {
        let file = File {
            format: FORMAT,
            details: self,
        };
        write_json(dir, FILE_NAME, &file)?;
        Ok(())
    }

    /// Reads `report.json` of `dir`; `None` where there is none.
    ///
    /// # Errors
    ///
    /// Fails where the file cannot be read, is damaged or of another format.
    pub fn read(dir: &Path) -> Result<Option<Self>, ReportError> {
        let path = dir.join(FILE_NAME);
        let Some(json) = bert_files::read_if_present(&path, LIMIT)? else {
            return Ok(None);
        };
        #[derive(Deserialize)]
        struct Format {
            format: u64,
        }
        // Another format need not have this one's shape: it is told before that is looked at.
        let parsed = serde_json::from_slice::<Format>(&json);
        if let Ok(Format { format }) = parsed
            && format != FORMAT
        {
            return Err(ReportError::DetailsFormat {
                path,
                found: format,
                expected: FORMAT,
            });
        }
        parsed
            .and_then(|_| serde_json::from_slice::<Self>(&json))
            .map(Some)
            .map_err(|error| ReportError::Details {
                path,
                source: JsonFault::from(error),
            })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{ClassifiedText, GlueReport, GlueSet, RegressionExample, SquadReport, SwagReport};

    #[test]
    fn details_read_back_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(RunDetails::read(folder.path()).unwrap(), None);
        let glue = |index: usize| ClassifiedText {
            id: index.to_string(),
            text_a: "é\u{0}\"😀".to_owned(),
            text_b: None,
            gold: 0,
            predicted: index,
            probabilities: vec![1.0 / 3.0, 2.0 / 3.0].into(),
        };
        let labels = vec!["no".to_owned(), "yes".to_owned()];
        let regression = RegressionExample {
            id: String::new(),
            text_a: String::new(),
            text_b: Some("b".to_owned()),
            gold: 0.1,
            predicted: 4.7,
        };
        let sets = vec![
            GlueSet::classification("dev", labels, (0..2).map(glue)).unwrap(),
            GlueSet::regression("scores", [regression]),
        ];
        let mut details = RunDetails {
            task_name: Some("MRPC".to_owned()),
            ..RunDetails::default()
        };
        details.environment.push("CPU", "x");
        for task in [
            None,
            Some(TaskReport::Squad(SquadReport::from_examples([]))),
            Some(TaskReport::Swag(SwagReport::from_examples([]))),
            Some(TaskReport::Glue(GlueReport { sets })),
        ] {
            details.task = task;
            details.write(folder.path()).unwrap();
            assert_eq!(
                RunDetails::read(folder.path()).unwrap().as_ref(),
                Some(&details)
            );
        }
    }

    #[test]
    fn probabilities_that_are_no_numbers_survive() {
        let folder = tempfile::tempdir().unwrap();
        let example = ClassifiedText {
            id: String::new(),
            text_a: String::new(),
            text_b: None,
            gold: 0,
            predicted: 1,
            probabilities: vec![f64::NAN, f64::INFINITY].into(),
        };
        let labels = vec!["no".to_owned(), "yes".to_owned()];
        let set = GlueSet::classification("dev", labels, [example]).unwrap();
        let details = RunDetails {
            task: Some(TaskReport::Glue(GlueReport { sets: vec![set] })),
            ..RunDetails::default()
        };
        details.write(folder.path()).unwrap();
        let text = format!("{:?}", RunDetails::read(folder.path()).unwrap());
        assert!(text.contains("probabilities: Every([NaN, NaN])"), "{text}");
    }

    #[test]
    fn damage_and_another_format_are_told_in_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        for (text, expected) in [
            ("", "cannot be read as a report's data: EOF"),
            ("{}", "missing field `format`"),
            ("{\"format\": 2, \"task\": 7}", "found format 2, expected 1"),
            (
                "{\"format\": 1,\n\"task\": {\"family\": \"chess\"}}",
                "unknown variant `chess`",
            ),
        ] {
            fs::write(&path, text).unwrap();
            let message = RunDetails::read(folder.path())
                .expect_err("it is damaged")
                .to_string();
            assert!(
                message.starts_with(&path.display().to_string()),
                "{message}"
            );
            assert!(message.contains(expected), "{message}");
            assert_eq!(message.lines().count(), 1, "{message}");
        }
    }
}
