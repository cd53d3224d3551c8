//! A user's own data for classification: a table of texts and labels.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::Path;

use crate::{DatasetError, delimited, text};

/// Names of the column with the text.
const TEXT: [&str; 4] = ["text", "sentence", "text_a", "sentence1"];

/// Names of the column with the second text.
const SECOND_TEXT: [&str; 3] = ["text_b", "text_pair", "sentence2"];

/// A user's own classification data: text (and optionally a second text) and label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelledTable {
    /// Every row, in file order.
    pub rows: Vec<TableRow>,
    /// Whether the file has a label column: then every row has a label.
    pub labelled: bool,
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
}

impl LabelledTable {
    /// The distinct labels: in the order of their numbers where all are whole numbers, otherwise of their characters.
    pub fn labels(&self) -> Vec<String> {
        let labels: BTreeSet<&str> = self
            .rows
            .iter()
            .filter_map(|row| row.label.as_deref())
            .collect();
        let numbers: Option<BTreeSet<(i128, &str)>> = labels
            .iter()
            .map(|&label| label.parse().ok().map(|number| (number, label)))
            .collect();
        match numbers {
            Some(numbers) => numbers.iter().map(|&(_, it)| it.to_owned()).collect(),
            None => labels.iter().map(|&it| it.to_owned()).collect(),
        }
    }
}

/// Reads and validates a table: tab-separated in a `.tsv` file, comma-separated in any other, with quotes in both.
///
/// The header names the columns, in any order and case: `text` (or `sentence`, `text_a`, `sentence1`), perhaps
/// `text_b` (or `text_pair`, `sentence2`), and `label`, without which the table is unlabelled. Other columns are
/// ignored.
///
/// # Errors
///
/// Fails where the file cannot be read, is not UTF-8, has no text column or a column twice, has no rows, has a row
/// with more or fewer columns than the header or a blank label, or a quote that does not end its field.
pub fn read_table(path: &Path) -> Result<LabelledTable, DatasetError> {
    parse_table(path, &text::read(path)?)
}

/// Validates the bytes of a table; `name` is the file's name in errors, and its ending tells the separator.
///
/// # Errors
///
/// As [`read_table`], without those of the file system.
pub fn parse_table(name: &Path, bytes: &[u8]) -> Result<LabelledTable, DatasetError> {
    let text = bert_files::decode(name, bytes)?;
    let (header, rows) =
        delimited::open(name, text, delimited::delimiter(name), "a table of texts")?;
    let text_a = header
        .find(&TEXT)?
        .ok_or_else(|| header.missing(vec!["text"]))?;
    let text_b = header.find(&SECOND_TEXT)?;
    let label = header.find(&["label"])?;
    let rows: Vec<TableRow> = rows
        .map(|row| {
            let row = row?;
            let field = |column: usize| row.fields[column].to_owned();
            let label = label.map(field);
            if let Some(found) = &label
                && found.trim().is_empty()
            {
                return Err(DatasetError::BlankLabel {
                    path: name.to_owned(),
                    line: row.line,
                    found: found.clone(),
                });
            }
            Ok(TableRow {
                line: row.line,
                text_a: field(text_a),
                text_b: text_b.map(field),
                label,
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
        labelled: label.is_some(),
    })
}
