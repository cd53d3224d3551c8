//! SWAG CSV files (Zellers et al. 2018): which of four endings follows.

#[cfg(test)]
mod tests;

use std::path::Path;

use crate::delimited::{self, Row};
use crate::{DatasetError, text};

/// The label column's values.
const LABELS: [&str; 4] = ["0", "1", "2", "3"];

/// A SWAG file, in its own order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwagDataset {
    /// Every row.
    pub examples: Vec<SwagExample>,
    /// Whether the file has a label column: then every row has a label.
    pub labelled: bool,
}

/// A context and four endings, one of which follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwagExample {
    /// The `fold-ind` column.
    pub id: String,
    /// The sentence before.
    pub sent1: String,
    /// The start of the sentence that the endings finish.
    pub sent2: String,
    /// `ending0` to `ending3`.
    pub endings: [String; 4],
    /// Index of the ending that follows, 0 to 3; `None` in an unlabelled file.
    pub label: Option<u8>,
}

/// Reads and validates a SWAG file. Other columns than those of [`SwagExample`] are ignored; texts are kept as written.
///
/// # Errors
///
/// Fails where the file cannot be read, is not UTF-8, lacks a column or has it twice, has no rows, has a row with more
/// or fewer columns than the header or a label that is not 0 to 3, or a quote that does not end its field.
pub fn read(path: &Path) -> Result<SwagDataset, DatasetError> {
    parse(path, &text::read(path)?)
}

/// Validates the bytes of a SWAG file; `name` is the file's name in errors.
///
/// # Errors
///
/// As [`read`], without those of the file system.
pub fn parse(name: &Path, bytes: &[u8]) -> Result<SwagDataset, DatasetError> {
    let (header, rows) = delimited::open(name, text::decode(name, bytes)?, b',', "SWAG")?;
    let [id, sent1, sent2, endings @ ..] = header.needed([
        "fold-ind", "sent1", "sent2", "ending0", "ending1", "ending2", "ending3",
    ])?;
    let label_column = header.find(&["label"])?;
    let mut examples = Vec::new();
    for row in rows {
        let row = row?;
        let field = |column: usize| row.fields[column].to_owned();
        let label = label_column
            .map(|column| label(name, &row, column))
            .transpose()?;
        examples.push(SwagExample {
            id: field(id),
            sent1: field(sent1),
            sent2: field(sent2),
            endings: endings.map(field),
            label,
        });
    }
    if examples.is_empty() {
        return Err(DatasetError::NoRows {
            path: name.to_owned(),
        });
    }
    Ok(SwagDataset {
        examples,
        labelled: label_column.is_some(),
    })
}

fn label(name: &Path, row: &Row, column: usize) -> Result<u8, DatasetError> {
    let found = &row.fields[column];
    (0..)
        .zip(LABELS)
        .find_map(|(label, written)| (written == found).then_some(label))
        .ok_or_else(|| DatasetError::UnknownLabel {
            path: name.to_owned(),
            line: row.line,
            found: found.to_owned(),
            expected: &LABELS,
        })
}
