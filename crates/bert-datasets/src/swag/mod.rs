//! Choices among endings: SWAG's CSV files, with four each (Zellers et al. 2018), and tables of a user's own, with 2
//! to 26.

mod table;
#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;
use std::path::Path;

use crate::delimited::{self, Row};
use crate::{DatasetError, text};

pub use table::{ChoiceColumns, parse_table, read_table};

/// How many endings the examples of a table may have.
pub const ENDINGS: RangeInclusive<usize> = 2..=LABELS.len();

/// How many endings the examples of SWAG have.
pub const ENDINGS_OF_SWAG: usize = 4;

/// SWAG's name of the column that identifies a row.
const FOLD_IND: &str = "fold-ind";

/// The label column's values: an ending's number.
const LABELS: [&str; 26] = [
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16",
    "17", "18", "19", "20", "21", "22", "23", "24", "25",
];

/// A file of choices, in its own order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwagDataset {
    /// Every row. All have the same number of endings.
    pub examples: Vec<SwagExample>,
    /// Whether the file has a label column: then every row has a label.
    pub labelled: bool,
}

/// A context and its endings, one of which follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwagExample {
    /// The `fold-ind` column.
    pub id: String,
    /// The sentence before.
    pub sent1: String,
    /// The start of the sentence that the endings finish; may be empty.
    pub sent2: String,
    /// The endings, from `ending0` on.
    pub endings: Vec<String>,
    /// Index of the ending that follows; `None` in an unlabelled file.
    pub label: Option<u8>,
}

/// Reads and validates a file of choices: a SWAG file where the header has SWAG's column `fold-ind` and `columns` names none,
/// otherwise a table of the user's own.
///
/// # Errors
///
/// Those of [`read`] and [`read_table`].
pub fn read_choices(path: &Path, columns: &ChoiceColumns) -> Result<SwagDataset, DatasetError> {
    let bytes = text::read(path)?;
    if text::is_json(path) || columns.are_named() {
        return parse_table(path, &bytes, columns);
    }
    let text = bert_files::decode(path, &bytes)?;
    let (header, _) = delimited::open(path, text, delimited::delimiter(path), table::KIND)?;
    if header.find(&[FOLD_IND])?.is_some() {
        parse(path, &bytes)
    } else {
        parse_table(path, &bytes, columns)
    }
}

/// Reads and validates a SWAG file. Other columns than those of [`SwagExample`] are ignored; texts are kept as written.
///
/// # Errors
///
/// Fails where the file cannot be read, is not UTF-8, lacks a column or has it twice, has a fifth ending, has no rows,
/// has a row with more or fewer columns than the header or a label that is not 0 to 3, or a quote that does not end its
/// field.
pub fn read(path: &Path) -> Result<SwagDataset, DatasetError> {
    parse(path, &text::read(path)?)
}

/// Validates the bytes of a SWAG file; `name` is the file's name in errors.
///
/// # Errors
///
/// As [`read`], without those of the file system.
pub fn parse(name: &Path, bytes: &[u8]) -> Result<SwagDataset, DatasetError> {
    let (header, rows) = delimited::open(name, bert_files::decode(name, bytes)?, b',', "SWAG")?;
    let [id, sent1, sent2, endings @ ..] = header.needed([
        FOLD_IND, "sent1", "sent2", "ending0", "ending1", "ending2", "ending3",
    ])?;
    if header.find(&["ending4"])?.is_some() {
        return Err(DatasetError::TooManyEndings {
            path: name.to_owned(),
            line: header.line,
            found: endings.len(),
            most: endings.len() - 1,
        });
    }
    let label_column = header.find(&["label"])?;
    let example = |row: Row| {
        let field = |column: usize| row.fields[column].to_owned();
        Ok(SwagExample {
            id: field(id),
            sent1: field(sent1),
            sent2: field(sent2),
            endings: endings.map(field).to_vec(),
            label: label_column
                .map(|column| label(name, &row, column, endings.len()))
                .transpose()?,
        })
    };
    let examples = rows
        .map(|row| row.and_then(example))
        .collect::<Result<_, _>>()?;
    dataset(name, examples, label_column.is_some())
}

/// The number of an example's right ending.
fn label(name: &Path, row: &Row, column: usize, endings: usize) -> Result<u8, DatasetError> {
    let found = &row.fields[column];
    let labels = &LABELS[..endings];
    (0..)
        .zip(labels)
        .find_map(|(label, written)| (*written == found).then_some(label))
        .ok_or_else(|| DatasetError::UnknownLabel {
            path: name.to_owned(),
            line: row.line,
            found: found.to_owned(),
            expected: labels,
        })
}

fn dataset(
    name: &Path,
    examples: Vec<SwagExample>,
    labelled: bool,
) -> Result<SwagDataset, DatasetError> {
    if examples.is_empty() {
        return Err(DatasetError::NoRows {
            path: name.to_owned(),
        });
    }
    Ok(SwagDataset { examples, labelled })
}
