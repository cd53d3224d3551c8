//! A user's own rows: CSV, TSV, JSON Lines, a JSON array of objects, or Parquet.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use csv::StringRecord;
use serde_json::Value;

use crate::delimited::{self, Row};
use crate::header::Header;
use crate::json::{self, Object};
use crate::{DatasetError, text};

/// The key whose list becomes the columns `ending0`, `ending1` and so on.
const LISTS: [&str; 2] = ["endings", "choices"];

const EXPECTED: &str = "JSON objects, a line each or in a list";

/// The rows behind a header.
pub(crate) type Rows<'a> = Box<dyn Iterator<Item = Result<Row, DatasetError>> + 'a>;

/// Reads the header of a user's own file and the rows behind it: JSON in a `.json`, `.jsonl` or `.ndjson` file, rows of Parquet that
/// [`text::read`] has made JSON, tab-separated
/// in a `.tsv` file, comma-separated in any other.
///
/// The keys of the first JSON object are the header, and every other object has the same. Numbers and truth values become
/// their text, null the empty one. In a list of objects a row's line is its number.
pub(crate) fn open<'a>(
    name: &'a Path,
    text: &'a str,
    kind: &'static str,
) -> Result<(Header<'a>, Rows<'a>), DatasetError> {
    if text::is_json(name) {
        return open_json(name, text, kind);
    }
    let (header, rows) = delimited::open(name, text, delimited::delimiter(name), kind)?;
    Ok((header, Box::new(rows)))
}

/// Objects of a JSON file and their lines: of a list, or one a line.
pub(crate) fn objects<T: serde::de::DeserializeOwned>(
    name: &Path,
    text: &str,
) -> Result<Vec<(usize, T)>, DatasetError> {
    if text.trim_start().starts_with('[') {
        let rows: Vec<Object<T>> = json::parse(name, text, EXPECTED)?;
        return Ok((1..).zip(rows).map(|(row, Object(it))| (row, it)).collect());
    }
    let lines = (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.trim().is_empty());
    let rows: Vec<(usize, T)> = lines
        .map(|(number, line)| {
            let Object(row) =
                json::parse(name, line, EXPECTED).map_err(|error| error.on_line(number))?;
            Ok((number, row))
        })
        .collect::<Result<_, DatasetError>>()?;
    if rows.is_empty() {
        return Err(DatasetError::Empty {
            path: name.to_owned(),
            expected: EXPECTED,
        });
    }
    Ok(rows)
}

fn open_json<'a>(
    name: &'a Path,
    text: &str,
    kind: &'static str,
) -> Result<(Header<'a>, Rows<'a>), DatasetError> {
    let objects: Vec<(usize, BTreeMap<String, Value>)> = objects(name, text)?;
    let rows: Vec<(usize, Vec<(String, String)>)> = objects
        .into_iter()
        .map(|(line, object)| (line, columns(object)))
        .collect();
    let Some((line, first)) = rows.first() else {
        return Err(DatasetError::NoRows {
            path: name.to_owned(),
        });
    };
    let header = Header {
        path: name,
        line: *line,
        names: first.iter().map(|(name, _)| name.clone()).collect(),
        kind,
    };
    let names = header.names.clone();
    let known: HashSet<String> = names.iter().cloned().collect();
    let rows = rows.into_iter().map(move |(line, row)| {
        // Of a key that a list of endings repeats, the first counts.
        let values: HashMap<&str, &str> = row
            .iter()
            .rev()
            .map(|(own, value)| (own.as_str(), value.as_str()))
            .collect();
        let differs = names
            .iter()
            .find(|key| !values.contains_key(key.as_str()))
            .map(|key| (key.clone(), "missing"))
            .or_else(|| {
                let extra = row.iter().find(|(own, _)| !known.contains(own))?;
                Some((extra.0.clone(), "new"))
            });
        if let Some((key, what)) = differs {
            return Err(DatasetError::OtherKeys {
                path: name.to_owned(),
                line,
                key,
                what,
            });
        }
        let fields: StringRecord = names
            .iter()
            .filter_map(|key| values.get(key.as_str()))
            .collect();
        Ok(Row { line, fields })
    });
    Ok((header, Box::new(rows)))
}

/// An object's keys and the texts of its values; those of a list of endings have their numbers.
fn columns(object: BTreeMap<String, Value>) -> Vec<(String, String)> {
    let mut columns = Vec::with_capacity(object.len());
    for (key, value) in object {
        match value {
            Value::Array(values) if LISTS.contains(&key.as_str()) => {
                let numbered = values.into_iter().enumerate();
                columns.extend(numbered.map(|(n, value)| (format!("ending{n}"), text_of(value))));
            }
            value => columns.push((key, text_of(value))),
        }
    }
    columns
}

fn text_of(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
