//! The labels of a user's own table.

use std::collections::HashMap;
use std::path::Path;

use bert_datasets::table::LabelledTable;
use bert_training::classification::Targets;

use crate::TaskError;
use crate::classification::Outputs;

/// The classes or the numbers of a table's rows; `None` where it has no labels.
///
/// # Errors
/// When a row has a label that is not among the classes, or is no number.
pub(super) fn targets(
    path: &Path,
    table: &LabelledTable,
    outputs: &Outputs,
) -> Result<Option<Targets>, TaskError> {
    if !table.labelled {
        return Ok(None);
    }
    let Outputs::Classes { names, .. } = outputs else {
        return scores(path, table).map(Some);
    };
    let classes: HashMap<&str, usize> = names
        .iter()
        .enumerate()
        .map(|(class, name)| (name.as_str(), class))
        .collect();
    let mut targets = Vec::with_capacity(table.rows.len());
    for row in &table.rows {
        let label = row.label.as_deref().unwrap_or_default();
        let Some(class) = classes.get(label) else {
            return Err(TaskError::UnknownLabel {
                path: path.to_owned(),
                line: row.line,
                found: label.to_owned(),
                expected: names.clone(),
            });
        };
        targets.push(*class);
    }
    Ok(Some(Targets::Classes(targets)))
}

/// The numbers that a table's rows are labelled with.
///
/// # Errors
/// When a label is none.
fn scores(path: &Path, table: &LabelledTable) -> Result<Targets, TaskError> {
    let numbers = table.rows.iter().map(|row| {
        let label = row.label.as_deref().unwrap_or_default();
        let number = label.trim().parse::<f64>().ok();
        let fits = |it: &f64| it.is_finite() && (*it as f32).is_finite();
        number.filter(fits).ok_or_else(|| TaskError::NotANumber {
            path: path.to_owned(),
            line: row.line,
            found: label.to_owned(),
        })
    });
    Ok(Targets::Scores(numbers.collect::<Result<_, _>>()?))
}
