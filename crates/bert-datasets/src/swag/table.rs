//! A user's own choices: a table of contexts and endings.

#[cfg(test)]
mod tests;

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{ENDINGS, FOLD_IND, SwagDataset, SwagExample, dataset, label};
use crate::delimited::Row;
use crate::header::Header;
use crate::{DatasetError, rows, text};

/// The columns of a table of choices, where their names are not the usual ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChoiceColumns {
    /// That of the sentence before.
    #[serde(rename = "context_column", skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// Those of the endings, in their order; none: by their names.
    #[serde(
        rename = "ending_columns",
        default,
        skip_serializing_if = "Vec::is_empty"
    )]
    pub endings: Vec<String>,
    /// That of the number of the ending that follows.
    #[serde(rename = "label_column", skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

impl ChoiceColumns {
    /// Whether any is named.
    pub(super) fn are_named(&self) -> bool {
        *self != Self::default()
    }
}

/// Names of the column with the sentence before.
const CONTEXT: [&str; 2] = ["context", "sent1"];

/// Names of the column with the start of the sentence that the endings finish.
const START: [&str; 2] = ["start", "sent2"];

/// Names of the column that identifies a row.
const ID: [&str; 2] = ["id", FOLD_IND];

/// What a file should be, for errors.
pub(super) const KIND: &str =
    "a table of choices (`context_column` and `ending_columns` name others)";

/// What the columns of endings are called before their number.
const ENDING: &str = "ending";

/// The endings' columns, as many as a table may have.
const ENDING_COLUMNS: [&str; 26] = [
    "ending0", "ending1", "ending2", "ending3", "ending4", "ending5", "ending6", "ending7",
    "ending8", "ending9", "ending10", "ending11", "ending12", "ending13", "ending14", "ending15",
    "ending16", "ending17", "ending18", "ending19", "ending20", "ending21", "ending22", "ending23",
    "ending24", "ending25",
];

/// Reads and validates a table of choices: tab-separated in a `.tsv` file, JSON objects in a `.json` or `.jsonl` file,
/// comma-separated in any other; each may be packed by gzip. SWAG's own files are such tables too.
///
/// The header names the columns, in any order and case:
///
/// | column | what it holds |
/// | --- | --- |
/// | `context` (or `sent1`) | the sentence before |
/// | `start` (or `sent2`), optional | the start of the sentence that the endings finish |
/// | `ending0`, `ending1` and so on up to `ending25` | the endings, two at least and none blank |
/// | `label`, optional | the number of the ending that follows; without the column the table is unlabelled |
/// | `id` (or `fold-ind`), optional | what identifies the row; without it the file's name and the row's number, from 0 |
///
/// `columns` names others. Other columns are ignored.
///
/// # Errors
///
/// Fails where the file cannot be read, is not UTF-8, lacks a column or has it twice, has endings of which a number is
/// missing, fewer than 2 or more than 26 of them, has no rows, has a row with more or fewer columns than the header, a
/// blank ending or a label that is no ending's number, or a quote that does not end its field.
pub fn read_table(path: &Path, columns: &ChoiceColumns) -> Result<SwagDataset, DatasetError> {
    parse_table(path, &text::read(path)?, columns)
}

/// Validates the bytes of a table of choices; `name` is the file's name in errors and ids, and its ending tells the
/// separator.
///
/// # Errors
///
/// As [`read_table`], without those of the file system.
pub fn parse_table(
    name: &Path,
    bytes: &[u8],
    columns: &ChoiceColumns,
) -> Result<SwagDataset, DatasetError> {
    let text = bert_files::decode(name, bytes)?;
    let (header, rows) = rows::open(name, text, KIND)?;
    let context = header
        .column(columns.context.as_deref(), &[&CONTEXT])?
        .ok_or_else(|| header.missing(vec![CONTEXT[0]]))?;
    let start = header.find(&START)?;
    let endings = match columns.endings.as_slice() {
        [] => endings(&header)?,
        asked => asked
            .iter()
            .map(|it| header.asked(it))
            .collect::<Result<_, _>>()?,
    };
    if !ENDINGS.contains(&endings.len()) {
        return Err(DatasetError::EndingColumns {
            path: name.to_owned(),
            found: endings.len(),
        });
    }
    let id = header.find(&ID)?;
    let label_column = header.column(columns.label.as_deref(), &[&["label"]])?;
    let stem = text::stem(name);
    let example = |(number, row): (usize, Result<Row, DatasetError>)| {
        let row = row?;
        let field = |column: usize| row.fields[column].to_owned();
        check_endings(name, &row, &header.names, &endings)?;
        Ok::<_, DatasetError>(SwagExample {
            id: id.map_or_else(|| format!("{stem}-{number}"), field),
            sent1: field(context),
            sent2: start.map(field).unwrap_or_default(),
            endings: endings.iter().map(|column| field(*column)).collect(),
            label: label_column
                .map(|column| label(name, &row, column, endings.len()))
                .transpose()?,
        })
    };
    let examples = rows.enumerate().map(example).collect::<Result<_, _>>()?;
    dataset(name, examples, label_column.is_some())
}

/// Where the endings stand, in the order of their numbers.
fn endings(header: &Header<'_>) -> Result<Vec<usize>, DatasetError> {
    let numbers = header.names.iter().filter_map(|name| {
        let name = name.trim();
        let (word, number) = name.split_at_checked(ENDING.len())?;
        let number: usize = number.parse().ok()?;
        word.eq_ignore_ascii_case(ENDING).then_some(number)
    });
    let count = numbers.max().map_or(0, |most| most.saturating_add(1));
    if count > *ENDINGS.end() {
        return Err(DatasetError::TooManyEndings {
            path: header.path.to_owned(),
            line: header.line,
            found: count - 1,
            most: ENDINGS.end() - 1,
        });
    }
    let mut places = Vec::with_capacity(count);
    let mut missing = Vec::new();
    for column in &ENDING_COLUMNS[..count.max(*ENDINGS.start())] {
        match header.find(&[column])? {
            Some(place) => places.push(place),
            None => missing.push(*column),
        }
    }
    if missing.is_empty() {
        Ok(places)
    } else {
        Err(header.missing(missing))
    }
}

/// Checks that a row has as many endings as the header.
fn check_endings(
    name: &Path,
    row: &Row,
    names: &[String],
    endings: &[usize],
) -> Result<(), DatasetError> {
    let blank = endings
        .iter()
        .position(|column| row.fields[*column].trim().is_empty());
    match blank {
        None => Ok(()),
        Some(number) => Err(DatasetError::BlankEnding {
            path: name.to_owned(),
            line: row.line,
            column: names[endings[number]].trim().to_owned(),
            found: row.fields[endings[number]].to_owned(),
            endings: endings.len(),
        }),
    }
}
