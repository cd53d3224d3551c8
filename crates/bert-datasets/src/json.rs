//! JSON into typed values, with errors that say where.

use std::fmt;
use std::marker::PhantomData;
use std::path::Path;

use bert_files::{JsonFault, cut};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde_json::error::Category;

use crate::DatasetError;

/// Parses a whole document.
pub(crate) fn parse<T: DeserializeOwned>(
    name: &Path,
    text: &str,
    expected: &'static str,
) -> Result<T, DatasetError> {
    if text.trim().is_empty() {
        return Err(DatasetError::Empty {
            path: name.to_owned(),
            expected,
        });
    }
    // Keeping track of the place costs time, so it is done only for a file known to be wrong.
    serde_json::from_str(text).or_else(|error| match locate(text) {
        Some(Ok(value)) => Ok(value),
        Some(Err(located)) => {
            let at = place(located.path());
            Err(describe(name, text, located.into_inner(), at))
        }
        None => Err(describe(name, text, error, String::new())),
    })
}

/// Parses again, with the path; `None` for an error after the document's end, which has no path.
fn locate<T: DeserializeOwned>(
    text: &str,
) -> Option<Result<T, serde_path_to_error::Error<serde_json::Error>>> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    match serde_path_to_error::deserialize(&mut deserializer) {
        Err(error) => Some(Err(error)),
        Ok(value) => deserializer.end().is_ok().then_some(Ok(value)),
    }
}

/// Where a value stands.
pub(crate) fn place(path: &serde_path_to_error::Path) -> String {
    match path.iter().next() {
        None => "top level".to_owned(),
        // A key of the file may be of any length.
        Some(_) => cut(&path.to_string()).into_owned(),
    }
}

fn describe(name: &Path, text: &str, error: serde_json::Error, at: String) -> DatasetError {
    let (path, line, column) = (name.to_owned(), error.line(), error.column().max(1));
    let fault = JsonFault::from(error);
    let message = fault.message();
    match fault.inner().classify() {
        Category::Data => DatasetError::Shape {
            path,
            line,
            column,
            at,
            message,
        },
        Category::Eof => DatasetError::Syntax {
            path,
            line,
            column,
            message: format!("the file ends too early: {message}"),
        },
        Category::Syntax | Category::Io => {
            // Only these messages are about the character at the column.
            let names_a_character = ["expected", "key must be", "trailing"]
                .iter()
                .any(|it| message.starts_with(it));
            let found = names_a_character
                .then(|| character(text, line, column))
                .flatten();
            let message = found.map_or_else(
                || message.clone(),
                |found| format!("{message}, found {found:?}"),
            );
            DatasetError::Syntax {
                path,
                line,
                column,
                message,
            }
        }
    }
}

/// The character at a line and a byte of it, both counted from 1.
fn character(text: &str, line: usize, column: usize) -> Option<char> {
    text.split('\n')
        .nth(line.checked_sub(1)?)?
        .get(column.checked_sub(1)?..)?
        .chars()
        .next()
}

/// A JSON object read as `T`; derived structs alone would take an array of their fields too.
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = Object<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}
