//! Predictions as the 2018 script writes them: one JSON object from question id to answer text.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::path::Path;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use crate::{DatasetError, json, text};

/// Reads predictions: one JSON object from question id to answer text.
///
/// # Errors
///
/// Fails where the file cannot be read, is not UTF-8, is not such an object, or names a question twice.
pub fn read_predictions(path: &Path) -> Result<BTreeMap<String, String>, DatasetError> {
    parse(path, &text::read(path)?)
}

pub(super) fn parse(name: &Path, bytes: &[u8]) -> Result<BTreeMap<String, String>, DatasetError> {
    let expected = "a JSON object from question id to answer text";
    json::parse(name, bert_files::decode(name, bytes)?, expected)
        .map(|Predictions(predictions)| predictions)
}

/// Reads the odds of "no answer": one JSON object from question id to number, in file order.
///
/// # Errors
///
/// Fails where the file cannot be read, is not UTF-8, is not such an object, or names a question twice.
pub fn read_null_odds(path: &Path) -> Result<Vec<(String, f64)>, DatasetError> {
    let bytes = text::read(path)?;
    let expected = "a JSON object from question id to a number";
    let text = bert_files::decode(path, &bytes)?;
    json::parse(path, text, expected).map(|NullOdds(odds)| odds)
}

struct NullOdds(Vec<(String, f64)>);

impl<'de> Deserialize<'de> for NullOdds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OddsVisitor;

        impl<'de> Visitor<'de> for OddsVisitor {
            type Value = NullOdds;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object from question id to a number")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut odds = Vec::new();
                let mut seen = HashSet::new();
                while let Some((id, value)) = map.next_entry::<String, f64>()? {
                    if !seen.insert(id.clone()) {
                        let message = format!("found {id:?} again, expected unique question ids");
                        return Err(A::Error::custom(message));
                    }
                    odds.push((id, value));
                }
                Ok(NullOdds(odds))
            }
        }

        deserializer.deserialize_map(OddsVisitor)
    }
}

struct Predictions(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Predictions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PredictionsVisitor;

        impl<'de> Visitor<'de> for PredictionsVisitor {
            type Value = Predictions;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object from question id to answer text")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut predictions = BTreeMap::new();
                while let Some((id, text)) = map.next_entry::<String, String>()? {
                    match predictions.entry(id) {
                        Entry::Vacant(entry) => entry.insert(text),
                        Entry::Occupied(entry) => {
                            let message = format!(
                                "found {:?} again, expected unique question ids",
                                entry.key()
                            );
                            return Err(A::Error::custom(message));
                        }
                    };
                }
                Ok(Predictions(predictions))
            }
        }

        deserializer.deserialize_map(PredictionsVisitor)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn predictions() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.json");
        let shown = path.display();
        fs::write(&path, r#"{"b": "Nikola Tesla", "a": ""}"#).unwrap();
        let read: Vec<(String, String)> = read_predictions(&path).unwrap().into_iter().collect();
        assert_eq!(
            read,
            [
                ("a".to_owned(), String::new()),
                ("b".to_owned(), "Nikola Tesla".to_owned())
            ]
        );
        let expected = "an object from question id to answer text";
        let cases = [
            (
                "",
                format!(
                    "{shown}: the file is empty, expected a JSON object from question id to answer text"
                ),
            ),
            (
                "[]",
                format!("{shown}:1:1: top level: invalid type: sequence, expected {expected}"),
            ),
            (
                r#"{"a": null}"#,
                format!("{shown}:1:10: a: invalid type: null, expected a string"),
            ),
            (
                r#"{"a": "b", "a": "c"}"#,
                format!("{shown}:1:20: top level: found \"a\" again, expected unique question ids"),
            ),
            (
                r#"{"a": "b""#,
                format!(
                    "{shown}:1:9: not JSON: the file ends too early: EOF while parsing an object"
                ),
            ),
        ];
        for (text, expected) in cases {
            fs::write(&path, text).unwrap();
            assert_eq!(read_predictions(&path).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn a_long_key_does_not_make_a_long_line() {
        let key = "x".repeat(100_000);
        let text = format!("{{\"{key}\": \"\", \"{key}\": \"\"}}");
        let error = parse(Path::new("x.json"), text.as_bytes()).unwrap_err();
        let line = error.to_string();
        assert!(
            line.starts_with("x.json:1:") && line.len() < 1000,
            "{}",
            line.len()
        );
    }
}
