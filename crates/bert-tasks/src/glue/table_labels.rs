//! The labels of a user's own table.

use std::collections::HashMap;
use std::path::Path;

use bert_datasets::table::{LabelledTable, TableRow, in_order};
use bert_training::classification::Targets;

use crate::TaskError;
use crate::classification::Outputs;

/// What separates the labels of a row, where the user names nothing else.
pub(super) const SEPARATOR: char = ';';

/// What the label column of a table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelColumn {
    /// The class of the row.
    Class,
    /// A number to predict.
    Number,
    /// The labels of the row, which this character separates; a blank field has none.
    Labels(char),
    /// Nothing: each label has a column of its own, which says with 1 or 0 whether the row has it.
    Marks,
}

impl LabelColumn {
    /// Several labels a row, which a character separates: a semicolon where none is named.
    pub fn labels(separator: Option<char>) -> Self {
        Self::Labels(separator.unwrap_or(SEPARATOR))
    }

    /// Whether a row may have several labels, or none.
    pub(crate) fn are_several(self) -> bool {
        matches!(self, Self::Labels(_) | Self::Marks)
    }
}

/// The labels that columns are named for, or the distinct labels of all rows, in their order.
///
/// # Errors
/// When a separator is not between two labels.
pub(super) fn names(
    path: &Path,
    table: &LabelledTable,
    column: LabelColumn,
) -> Result<Vec<String>, TaskError> {
    if column == LabelColumn::Marks {
        return Ok(table.marks().to_vec());
    }
    let rows = table.rows.iter();
    let rows: Vec<Vec<&str>> = rows
        .map(|row| labels_of(path, table, row, column))
        .collect::<Result<_, _>>()?;
    Ok(in_order(rows.into_iter().flatten()))
}

/// The labels of a row, where it may have several.
///
/// # Errors
/// When a separator is not between two labels.
pub(crate) fn labels_of<'a>(
    path: &Path,
    table: &'a LabelledTable,
    row: &'a TableRow,
    column: LabelColumn,
) -> Result<Vec<&'a str>, TaskError> {
    let separator = match column {
        LabelColumn::Marks => {
            let marked = table.marks().iter().zip(&row.marks);
            let own = marked.filter_map(|(label, has)| has.then_some(label.as_str()));
            return Ok(own.collect());
        }
        LabelColumn::Labels(separator) => separator,
        LabelColumn::Class | LabelColumn::Number => SEPARATOR,
    };
    let written = row.label.as_deref().unwrap_or_default();
    if written.trim().is_empty() {
        return Ok(Vec::new());
    }
    let labels: Vec<&str> = written.split(separator).map(str::trim).collect();
    if labels.contains(&"") {
        return Err(TaskError::EmptyLabel {
            path: path.to_owned(),
            line: row.line,
            found: written.to_owned(),
            separator,
        });
    }
    Ok(labels)
}

/// The classes, the labels or the numbers of a table's rows; `None` where it has no labels.
///
/// # Errors
/// When a row has a label that is not among the classes, or is no number.
pub(super) fn targets(
    path: &Path,
    table: &LabelledTable,
    outputs: &Outputs,
    column: LabelColumn,
) -> Result<Option<Targets>, TaskError> {
    if !table.labelled {
        return Ok(None);
    }
    let names = match outputs {
        Outputs::Classes { names, .. } | Outputs::Labels(names) => names,
        Outputs::Choices | Outputs::Score => return scores(path, table).map(Some),
    };
    let classes: HashMap<&str, usize> = names
        .iter()
        .enumerate()
        .map(|(class, name)| (name.as_str(), class))
        .collect();
    let class = |row: &TableRow, label: &str| {
        let known = classes.get(label).copied();
        known.ok_or_else(|| TaskError::UnknownLabel {
            path: path.to_owned(),
            line: row.line,
            found: label.to_owned(),
            expected: names.clone(),
        })
    };
    let rows = table.rows.iter();
    if let Outputs::Labels(_) = outputs {
        let labels = rows.map(|row| {
            let mut has = vec![false; names.len()];
            for label in labels_of(path, table, row, column)? {
                has[class(row, label)?] = true;
            }
            Ok(has)
        });
        let labels = labels.collect::<Result<_, TaskError>>()?;
        return Ok(Some(Targets::Labels(labels)));
    }
    let targets = rows.map(|row| class(row, row.label.as_deref().unwrap_or_default()));
    Ok(Some(Targets::Classes(targets.collect::<Result<_, _>>()?)))
}

/// The numbers that a table's rows are labelled with.
///
/// # Errors
/// When a label is none.
fn scores(path: &Path, table: &LabelledTable) -> Result<Targets, TaskError> {
    let numbers = table.rows.iter().map(|row| number_of(path, row));
    Ok(Targets::Scores(numbers.collect::<Result<_, _>>()?))
}

/// The number that a row is labelled with.
///
/// # Errors
/// When its label is none.
pub(crate) fn number_of(path: &Path, row: &TableRow) -> Result<f64, TaskError> {
    let label = row.label.as_deref().unwrap_or_default();
    let number = label.trim().parse::<f64>().ok();
    let fits = |it: &f64| it.is_finite() && (*it as f32).is_finite();
    number.filter(fits).ok_or_else(|| TaskError::NotANumber {
        path: path.to_owned(),
        line: row.line,
        found: label.to_owned(),
    })
}
