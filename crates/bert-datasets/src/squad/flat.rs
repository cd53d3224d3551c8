//! Questions in flat rows, as Hugging Face's `datasets` have them: each with its context and its answers.

use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{SquadAnswer, SquadContext, SquadDataset, SquadQuestion, SquadVersion};
use crate::json::{self, Object};
use crate::{DatasetError, rows, text};

/// A row.
#[derive(Deserialize)]
struct FlatRow {
    #[serde(default)]
    id: Option<Id>,
    #[serde(default)]
    title: String,
    context: String,
    question: String,
    #[serde(default)]
    answers: Option<Answers>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Id {
    Text(String),
    Number(u64),
}

/// The texts and places of a question's answers.
#[derive(Default, Deserialize)]
struct Answers {
    text: Vec<String>,
    answer_start: Vec<usize>,
}

/// What is looked at to tell the two layouts apart.
#[derive(Deserialize)]
struct Probe {
    #[serde(default)]
    data: Vec<ProbedRow>,
    #[serde(default)]
    question: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct ProbedRow {
    #[serde(default)]
    question: Option<IgnoredAny>,
}

/// Whether a file has flat rows: a list of them, one a line, or a list under the key `data`.
pub(super) fn is_flat(name: &Path, text: &str) -> bool {
    let text = text.trim_start();
    // A list of anything else is the other reader's to refuse.
    let is_list = text
        .strip_prefix('[')
        .is_some_and(|rest| rest.trim_start().starts_with('{'));
    if is_list || ["jsonl", "ndjson"].contains(&text::ending(name).as_str()) {
        return true;
    }
    // SQuAD's own files are large, and have this key; what is no JSON is the other reader's to refuse.
    if text.contains("\"paragraphs\"") {
        return false;
    }
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Probe>();
    let first = values.next().and_then(Result::ok);
    first.is_some_and(|first| {
        first.question.is_some() || first.data.first().is_some_and(|row| row.question.is_some())
    })
}

/// Rows under the key that `datasets` calls the field.
#[derive(Deserialize)]
struct Field {
    data: Vec<Object<FlatRow>>,
}

/// Reads flat rows. Where some rows have no answer and others have, those have none in their context, as in SQuAD 2.0;
/// where all have none, the file labels nothing.
pub(super) fn parse(name: &Path, text: &str) -> Result<SquadDataset, DatasetError> {
    let rows: Vec<(usize, FlatRow)> = if text.trim_start().starts_with('{')
        && serde_json::from_str::<Probe>(text).is_ok_and(|probe| !probe.data.is_empty())
    {
        let Object(field): Object<Field> = json::parse(name, text, "rows under the key data")?;
        (1..)
            .zip(field.data)
            .map(|(row, Object(it))| (row, it))
            .collect()
    } else {
        rows::objects(name, text)?
    };
    let count = |row: &FlatRow| row.answers.as_ref().map_or(0, |it| it.text.len());
    let answered = rows.iter().filter(|(_, row)| count(row) > 0).count();
    let version = if answered > 0 && answered < rows.len() {
        SquadVersion::V2_0
    } else {
        SquadVersion::V1_1
    };
    let mut dataset = SquadDataset {
        version,
        contexts: Vec::new(),
        questions: Vec::with_capacity(rows.len()),
    };
    let mut contexts: HashMap<String, usize> = HashMap::new();
    let mut lines: HashMap<String, usize> = HashMap::new();
    for (number, (line, row)) in rows.into_iter().enumerate() {
        let length = row.context.chars().count();
        let answers = answers(name, line, row.answers.unwrap_or_default(), length)?;
        let context = *contexts.entry(row.context).or_insert_with_key(|text| {
            dataset.contexts.push(SquadContext {
                title: row.title,
                text: text.clone(),
            });
            dataset.contexts.len() - 1
        });
        let id = match row.id {
            Some(Id::Text(id)) => id,
            Some(Id::Number(id)) => id.to_string(),
            None => format!("{}-{number}", text::stem(name)),
        };
        if let Some(first) = lines.insert(id.clone(), line) {
            return Err(DatasetError::DuplicateId {
                path: name.to_owned(),
                id,
                first: format!("row {first}"),
                second: format!("row {line}"),
            });
        }
        dataset.questions.push(SquadQuestion {
            id,
            text: row.question,
            context,
            is_labelled: answered > 0,
            is_impossible: answered > 0 && answers.is_empty(),
            answers,
        });
    }
    if dataset.questions.is_empty() {
        return Err(DatasetError::NoQuestions {
            path: name.to_owned(),
        });
    }
    Ok(dataset)
}

/// The answers of a row whose context has `length` characters.
fn answers(
    name: &Path,
    line: usize,
    found: Answers,
    length: usize,
) -> Result<Vec<SquadAnswer>, DatasetError> {
    let (texts, starts) = (found.text.len(), found.answer_start.len());
    if texts != starts {
        return Err(DatasetError::AnswerColumns {
            path: name.to_owned(),
            line,
            texts,
            starts,
        });
    }
    let pairs = found.text.into_iter().zip(found.answer_start);
    let checked = pairs.enumerate().map(|(number, (text, start))| {
        if start >= length {
            return Err(DatasetError::AnswerStart {
                path: name.to_owned(),
                at: format!("row {line}, answer {number}"),
                found: start,
                length,
            });
        }
        Ok(SquadAnswer { text, start })
    });
    checked.collect()
}

#[cfg(test)]
mod tests {
    use super::super::parse as read;
    use super::*;

    const ROW: &str = r#"{"id": "a", "title": "t", "context": "x y", "question": "q", "answers": {"text": ["y"], "answer_start": [2]}}"#;
    const EMPTY: &str = r#"{"id": 7, "context": "x y", "question": "r", "answers": {"text": [], "answer_start": []}}"#;

    fn dataset(name: &str, text: &str) -> SquadDataset {
        read(Path::new(name), text.as_bytes()).unwrap()
    }

    #[test]
    fn every_layout_gives_the_same_questions() {
        let expected = dataset("a.jsonl", &format!("{ROW}\n{EMPTY}\n"));
        assert_eq!(expected.version, SquadVersion::V2_0);
        assert_eq!(expected.contexts.len(), 1);
        assert_eq!(expected.questions[0].answers[0].text, "y");
        assert_eq!(expected.questions[1].id, "7");
        assert!(expected.questions[1].is_impossible && expected.questions[1].is_labelled);
        for (name, text) in [
            ("a.json", format!("{ROW}\n{EMPTY}\n")),
            ("a.json", format!("[{ROW}, {EMPTY}]")),
            (
                "a.json",
                format!("{{\"version\": \"x\", \"data\": [{ROW}, {EMPTY}]}}"),
            ),
            ("a.ndjson.gz", format!("{ROW}\n{EMPTY}")),
        ] {
            assert_eq!(dataset(name, &text), expected, "{name}: {text}");
        }
    }

    #[test]
    fn rows_that_all_have_answers_are_as_in_v1_and_without_any_nothing_is_labelled() {
        assert_eq!(dataset("a.jsonl", ROW).version, SquadVersion::V1_1);
        let unlabelled = dataset("a.jsonl", EMPTY);
        assert_eq!(unlabelled.version, SquadVersion::V1_1);
        assert_eq!(unlabelled.unlabelled(), 1);
        let without_id = dataset("b.jsonl", r#"{"context": "x", "question": "q"}"#);
        assert_eq!(without_id.questions[0].id, "b-0");
    }

    #[test]
    fn wrong_rows_are_one_line() {
        let far = ROW.replace("[2]", "[3]");
        let uneven = ROW.replace("[2]", "[]");
        for (text, expected) in [
            (format!("{ROW}\n{ROW}"), "row 2.id: found \"a\" again"),
            (far, "row 1, answer 0.answer_start: found 3"),
            (uneven, "a.jsonl:1: answers: found 1 texts and 0 places"),
            (format!("{ROW}\n{{\"question\": 1}}"), "a.jsonl:2:"),
            (
                ROW.replace("\"context\": \"x y\", ", ""),
                "missing field `context`",
            ),
            (String::new(), "the file is empty"),
        ] {
            let error = read(Path::new("a.jsonl"), text.as_bytes())
                .unwrap_err()
                .to_string();
            assert!(
                error.contains(expected) && !error.contains('\n'),
                "{text}: {error}"
            );
        }
    }
}
