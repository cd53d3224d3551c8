//! Questions in flat rows, as Hugging Face's `datasets` have them: each with its context and its answers. JSON, Parquet, or a
//! table.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use bert_files::JsonFault;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{SquadAnswer, SquadContext, SquadDataset, SquadQuestion, SquadVersion};
use crate::json::{self, Object};
use crate::{DatasetError, delimited, rows, text};

/// The columns of flat rows, where their names are not those of `datasets`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionColumns {
    /// That of the context.
    #[serde(rename = "context_column", skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// That of the question.
    #[serde(rename = "question_column", skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// That of the answers.
    #[serde(rename = "answers_column", skip_serializing_if = "Option::is_none")]
    pub answers: Option<String>,
}

/// The keys of a row and their values.
type Keys = BTreeMap<String, Value>;

const CONTEXT: &str = "context";
const QUESTION: &str = "question";
const ANSWERS: &str = "answers";

/// The usual names of a table's columns, in any case.
const COLUMNS: [&str; 7] = [
    "id",
    "title",
    CONTEXT,
    QUESTION,
    ANSWERS,
    "answers.text",
    "answers.answer_start",
];

/// What a table should be, for errors.
const KIND: &str = "a table of questions (`question_column` and `context_column` name others)";

/// A row.
#[derive(Deserialize)]
struct FlatRow {
    #[serde(default)]
    id: Option<Id>,
    #[serde(default)]
    title: Option<String>,
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

impl QuestionColumns {
    /// Whether any is named.
    pub(super) fn are_named(&self) -> bool {
        *self != Self::default()
    }

    /// The usual names, and those that are asked for.
    fn pairs(&self) -> impl Iterator<Item = (&'static str, &String)> {
        let pairs = [
            (CONTEXT, &self.context),
            (QUESTION, &self.question),
            (ANSWERS, &self.answers),
        ];
        pairs
            .into_iter()
            .filter_map(|(usual, asked)| Some((usual, asked.as_ref()?)))
    }

    /// Gives a row's keys their usual names.
    ///
    /// # Errors
    /// When one that is asked for is not there.
    fn rename(&self, name: &Path, line: usize, row: &mut Keys) -> Result<(), DatasetError> {
        let found: Vec<String> = row.keys().cloned().collect();
        let mut renamed = Keys::new();
        for (usual, asked) in self.pairs() {
            // The parts of answers that stand in columns of their own.
            let parts = PARTS.iter().map(|part| format!(".{part}"));
            let endings = std::iter::once(String::new()).chain(parts.filter(|_| usual == ANSWERS));
            let mut is_there = false;
            for ending in endings {
                if let Some(value) = row.remove(&format!("{asked}{ending}")) {
                    renamed.insert(format!("{usual}{ending}"), value);
                    is_there = true;
                }
            }
            if !is_there {
                return Err(DatasetError::NoSuchColumn {
                    path: name.to_owned(),
                    line,
                    column: asked.clone(),
                    found,
                });
            }
        }
        row.extend(renamed);
        Ok(())
    }
}

/// The parts of `answers`.
const PARTS: [&str; 2] = ["text", "answer_start"];

/// Makes a row's answers what `datasets` has: an object with two lists. A table writes the object, or has a column for each list,
/// in which a single answer is written as it is.
fn join_answers(row: &mut Keys) {
    if let Some(Value::String(written)) = row.get(ANSWERS) {
        let value = match serde_json::from_str(written) {
            _ if written.trim().is_empty() => Value::Null,
            Ok(value) => value,
            // Refused where the row's shape is checked.
            Err(_) => return,
        };
        row.insert(ANSWERS.to_owned(), value);
    }
    let parts = PARTS.map(|part| row.remove(&format!("{ANSWERS}.{part}")));
    if let [Some(text), Some(start)] = parts {
        let lists = [
            ("text", list(text, false)),
            ("answer_start", list(start, true)),
        ];
        let object = lists.map(|(part, list)| (part.to_owned(), list));
        row.insert(
            ANSWERS.to_owned(),
            Value::Object(object.into_iter().collect()),
        );
    }
}

/// A list as JSON has it, or as a field of a table: JSON, one item, or nothing.
fn list(value: Value, of_numbers: bool) -> Value {
    let Value::String(written) = value else {
        return value;
    };
    match serde_json::from_str(&written) {
        _ if written.trim().is_empty() => Value::Array(Vec::new()),
        Ok(list @ Value::Array(_)) => list,
        Ok(number) if of_numbers => Value::Array(vec![number]),
        _ => Value::Array(vec![Value::String(written)]),
    }
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

/// Whether a file has flat rows: a table, a list of objects, one a line, or a list under the key `data`.
pub(super) fn is_flat(name: &Path, text: &str, columns: &QuestionColumns) -> bool {
    let text = text.trim_start();
    // A list of anything else is the other reader's to refuse.
    let is_list = text
        .strip_prefix('[')
        .is_some_and(|rest| rest.trim_start().starts_with('{'));
    if is_list || is_table(name) || text::is_json_lines(name) {
        return true;
    }
    // SQuAD's own files are large, and have this key; what is no JSON is the other reader's to refuse.
    if text.contains("\"paragraphs\"") {
        return false;
    }
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Probe>();
    let first = values.next().and_then(Result::ok);
    // The columns of a file without that key may have any names.
    columns.are_named()
        || first.is_some_and(|first| {
            first.question.is_some() || first.data.first().is_some_and(|row| row.question.is_some())
        })
}

/// Whether a name is that of a table.
fn is_table(name: &Path) -> bool {
    ["csv", "tsv"].contains(&text::ending(name).as_str())
}

/// Rows under the key that `datasets` calls the field.
#[derive(Deserialize)]
struct Field {
    data: Vec<Object<Keys>>,
}

/// The keys of every row, and the row's line.
fn read_keys(
    name: &Path,
    text: &str,
    columns: &QuestionColumns,
) -> Result<Vec<(usize, Keys)>, DatasetError> {
    if is_table(name) {
        let (header, rows) = delimited::open(name, text, delimited::delimiter(name), KIND)?;
        let mut names: Vec<String> = header.names.iter().map(|it| it.trim().to_owned()).collect();
        let mut missing = Vec::new();
        for usual in COLUMNS {
            match header.find(&[usual])? {
                Some(place) => names[place] = usual.to_owned(),
                None if [CONTEXT, QUESTION].contains(&usual) => missing.push(usual),
                None => {}
            }
        }
        missing.retain(|usual| columns.pairs().all(|(asked, _)| asked != *usual));
        if !missing.is_empty() {
            return Err(header.missing(missing));
        }
        let keys = rows.map(|row| {
            let row = row?;
            let fields = row
                .fields
                .iter()
                .map(|field| Value::String(field.to_owned()));
            Ok((row.line, names.iter().cloned().zip(fields).collect()))
        });
        return keys.collect();
    }
    if text.trim_start().starts_with('{')
        && serde_json::from_str::<Probe>(text).is_ok_and(|probe| !probe.data.is_empty())
    {
        let Object(field): Object<Field> = json::parse(name, text, "rows under the key data")?;
        let rows = (1..).zip(field.data);
        return Ok(rows.map(|(row, Object(it))| (row, it)).collect());
    }
    rows::objects(name, text)
}

/// Reads flat rows. Where some rows have no answer and others have, those have none in their context, as in SQuAD 2.0;
/// where all have none, the file labels nothing.
pub(super) fn parse(
    name: &Path,
    text: &str,
    columns: &QuestionColumns,
) -> Result<SquadDataset, DatasetError> {
    let rows = read_keys(name, text, columns)?
        .into_iter()
        .map(|(line, mut row)| {
            columns.rename(name, line, &mut row)?;
            join_answers(&mut row);
            let row = serde_path_to_error::deserialize(Value::Object(row.into_iter().collect()));
            let row: FlatRow = row.map_err(|error| DatasetError::RowShape {
                path: name.to_owned(),
                line,
                at: json::place(error.path()),
                message: JsonFault::from(error.into_inner()).message(),
            })?;
            Ok((line, row))
        });
    let rows: Vec<(usize, FlatRow)> = rows.collect::<Result<_, DatasetError>>()?;
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
                title: row.title.unwrap_or_default().into(),
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
