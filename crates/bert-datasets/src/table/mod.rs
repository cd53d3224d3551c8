//! A user's own data for classification: a table of texts and labels.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::Path;

use crate::delimited::Row;
use crate::header::Header;
use crate::{DatasetError, rows, text};

/// Names of the column with the text; where none of the first is there, of the second.
const TEXT: [&[&str]; 2] = [
    &["text", "sentence", "text_a", "sentence1"],
    &[
        "content",
        "review",
        "comment",
        "tweet",
        "premise",
        "question1",
    ],
];

/// Names of the column with the second text.
const SECOND_TEXT: [&[&str]; 2] = [
    &["text_b", "text_pair", "sentence2"],
    &["hypothesis", "question2"],
];

/// Names of the column with the label.
const LABEL: [&[&str]; 2] = [
    &["label"],
    &[
        "labels",
        "class",
        "category",
        "target",
        "sentiment",
        "gold_label",
    ],
];

/// What a file should be, for errors.
const KIND: &str = "a table of texts (`text_column` names another)";

/// The columns of a table, where their names are not to be guessed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextColumns {
    /// That of the text.
    pub text: Option<String>,
    /// That of the second text.
    pub text_pair: Option<String>,
    /// That of the label.
    pub label: Option<String>,
    /// Those that say with 1 or 0 whether a row has the label they are named for, in place of a column of labels.
    pub marks: Vec<String>,
    /// Whether the label of a row may be blank.
    pub may_be_blank: bool,
}

/// The columns that a table was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundColumns {
    /// That of the text.
    pub text: String,
    /// That of the second text, where there is one.
    pub text_pair: Option<String>,
    /// That of the label, where there is one.
    pub label: Option<String>,
    /// Those of marks.
    pub marks: Vec<String>,
}

/// A user's own classification data: text (and optionally a second text) and label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelledTable {
    /// Every row, in file order.
    pub rows: Vec<TableRow>,
    /// Whether the file has a label column or columns of marks: then every row has a label, or marks.
    pub labelled: bool,
    /// Where they were found; `None` for rows that were in memory.
    pub columns: Option<FoundColumns>,
}

/// One text, or two, to classify.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRow {
    /// The line where the row starts, counted from 1.
    pub line: usize,
    /// The text, as written.
    pub text_a: String,
    /// The second text; `None` where the file has no such column.
    pub text_b: Option<String>,
    /// The label, as written; `None` in an unlabelled file.
    pub label: Option<String>,
    /// For each column of marks, whether it says that the row has its label.
    pub marks: Vec<bool>,
}

impl LabelledTable {
    /// The labels whose columns say which rows have them.
    pub fn marks(&self) -> &[String] {
        self.columns.as_ref().map_or(&[], |found| &found.marks)
    }

    /// The distinct labels: in the order of their numbers where all are whole numbers, otherwise of their characters.
    pub fn labels(&self) -> Vec<String> {
        in_order(self.rows.iter().filter_map(|row| row.label.as_deref()))
    }
}

/// Distinct labels: in the order of their numbers where all are whole numbers, otherwise of their characters.
pub fn in_order<'a>(labels: impl Iterator<Item = &'a str>) -> Vec<String> {
    let labels: BTreeSet<&str> = labels.collect();
    let numbers: Option<BTreeSet<(i128, &str)>> = labels
        .iter()
        .map(|&label| label.parse().ok().map(|number| (number, label)))
        .collect();
    match numbers {
        Some(numbers) => numbers.iter().map(|&(_, it)| it.to_owned()).collect(),
        None => labels.iter().map(|&it| it.to_owned()).collect(),
    }
}

/// Reads and validates a table: tab-separated in a `.tsv` file, JSON objects in a `.json` or `.jsonl` file, comma-separated in any
/// other; each may be packed by gzip.
///
/// The header names the columns, in any order and case: those of `columns`, or else `text` (or `sentence`, `text_a`, `sentence1`),
/// perhaps `text_b` (or `text_pair`, `sentence2`), and `label`, without which the table is unlabelled. Where one of these is not
/// there, other common names are tried. Other columns are ignored.
///
/// # Errors
///
/// Fails where the file cannot be read, is not UTF-8, has no text column or a column twice, has no rows, has a row
/// with more or fewer columns than the header a blank label that may not be, or a mark that is neither 0 nor 1, or a quote that does not end its field.
pub fn read_table(path: &Path, columns: &TextColumns) -> Result<LabelledTable, DatasetError> {
    parse_table(path, &text::read(path)?, columns)
}

/// Validates the bytes of a table; `name` is the file's name in errors, and its ending tells the separator.
///
/// # Errors
///
/// As [`read_table`], without those of the file system.
pub fn parse_table(
    name: &Path,
    bytes: &[u8],
    columns: &TextColumns,
) -> Result<LabelledTable, DatasetError> {
    let text = bert_files::decode(name, bytes)?;
    let (header, rows) = rows::open(name, text, KIND)?;
    let text_a = header
        .column(columns.text.as_deref(), &TEXT)?
        .ok_or_else(|| header.missing(vec!["text"]))?;
    let text_b = header.column(columns.text_pair.as_deref(), &SECOND_TEXT)?;
    let marks: Vec<usize> = columns
        .marks
        .iter()
        .map(|it| header.asked(it))
        .collect::<Result<_, _>>()?;
    let label = match marks.is_empty() {
        true => header.column(columns.label.as_deref(), &LABEL)?,
        false => None,
    };
    let name_of = |column: usize| header.names[column].trim().to_owned();
    let found = FoundColumns {
        text: name_of(text_a),
        text_pair: text_b.map(name_of),
        label: label.map(name_of),
        marks: columns
            .marks
            .iter()
            .map(|it| it.trim().to_owned())
            .collect(),
    };
    let rows: Vec<TableRow> = rows
        .map(|row| {
            let row = row?;
            let field = |column: usize| row.fields[column].to_owned();
            let label = label.map(field);
            if let Some(found) = &label
                && !columns.may_be_blank
                && found.trim().is_empty()
            {
                return Err(DatasetError::BlankLabel {
                    path: name.to_owned(),
                    line: row.line,
                    found: found.clone(),
                });
            }
            let mark = |column: &usize| mark(name, &header, &row, *column);
            Ok(TableRow {
                line: row.line,
                text_a: field(text_a),
                text_b: text_b.map(field),
                label,
                marks: marks.iter().map(mark).collect::<Result<_, _>>()?,
            })
        })
        .collect::<Result<_, _>>()?;
    if rows.is_empty() {
        return Err(DatasetError::NoRows {
            path: name.to_owned(),
        });
    }
    Ok(LabelledTable {
        rows,
        labelled: label.is_some() || !marks.is_empty(),
        columns: Some(found),
    })
}

/// Whether a column says that a row has the label it is named for.
fn mark(name: &Path, header: &Header<'_>, row: &Row, column: usize) -> Result<bool, DatasetError> {
    let found = &row.fields[column];
    match found.trim().to_ascii_lowercase().as_str() {
        "1" | "1.0" | "true" => Ok(true),
        "0" | "0.0" | "false" => Ok(false),
        _ => Err(DatasetError::Mark {
            path: name.to_owned(),
            line: row.line,
            column: header.names[column].trim().to_owned(),
            found: found.to_owned(),
        }),
    }
}
