//! `eval_results.txt` and `eval_results.json`: a run's scores.

use std::{collections::BTreeMap, path::Path};

use bert_files::{Destination, JsonFault};
use serde_json::Value;

use crate::{RecordError, python_float, python_json::to_python_json, write_json};

const TEXT: &str = "eval_results.txt";
const JSON: &str = "eval_results.json";
/// The most bytes of scores that are read. A run's are a few hundred.
const LIMIT: u64 = 64 << 20;

/// Writes `eval_results.txt`, one `key = value` a line in key order as the 2018 scripts did, and the same results as
/// `eval_results.json`.
///
/// # Errors
///
/// Fails where a file cannot be written.
pub fn write_eval_results(
    mut to: impl Destination,
    results: &BTreeMap<String, Value>,
) -> Result<(), RecordError> {
    let mut lines = String::new();
    for (key, value) in results {
        let value = plain(value).map_err(|source| RecordError::Json {
            path: to.path_of(TEXT),
            source,
        })?;
        lines.push_str(&format!("{key} = {value}\n"));
    }
    to.write_file(TEXT, |out| out.write_all(lines.as_bytes()))?;
    write_json(to, JSON, results)
}

/// Reads `eval_results.json` of `dir`; a run without the file has no scores.
///
/// # Errors
///
/// Fails where the file cannot be read or is damaged.
pub fn read_eval_results(dir: &Path) -> Result<BTreeMap<String, Value>, RecordError> {
    let path = dir.join(JSON);
    let Some(json) = bert_files::read_if_present(&path, LIMIT)? else {
        return Ok(BTreeMap::new());
    };
    serde_json::from_slice(&json).map_err(|error| RecordError::Results {
        path,
        source: JsonFault::from(error),
    })
}

/// A value on one line: numbers as Python writes them, text without quotes, anything else as compact JSON.
fn plain(value: &Value) -> Result<String, serde_json::Error> {
    match value {
        Value::Number(number) if number.is_f64() => Ok(number
            .as_f64()
            .map_or_else(|| number.to_string(), python_float)),
        Value::String(text) if !text.contains(['\n', '\r']) => Ok(text.clone()),
        Value::String(text) => to_python_json(text),
        other => serde_json::to_string(other),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;

    #[test]
    fn both_files_are_sorted() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let results = BTreeMap::from([
            ("global_step".to_owned(), json!(810)),
            ("f1".to_owned(), json!(69.276_312_101_608_01)),
            ("loss".to_owned(), json!(0.00001)),
            ("note".to_owned(), json!("two\nlines")),
            ("best".to_owned(), json!("step 3")),
            ("empty".to_owned(), json!(null)),
        ]);
        write_eval_results(folder.path(), &results).expect("they are written");
        let text = fs::read_to_string(folder.path().join("eval_results.txt")).expect("it is there");
        assert_eq!(
            text,
            concat!(
                "best = step 3\nempty = null\nf1 = 69.27631210160801\nglobal_step = 810\n",
                "loss = 1e-05\nnote = \"two\\nlines\"\n"
            )
        );
        let json =
            fs::read_to_string(folder.path().join("eval_results.json")).expect("it is there");
        assert!(json.starts_with("{\n    \"best\": "), "{json}");
        let back = read_eval_results(folder.path()).expect("they are read");
        assert_eq!(back, results);
    }
}
