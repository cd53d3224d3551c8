//! `eval_results.txt` and `eval_results.json`: a run's scores.

use std::{collections::BTreeMap, path::Path};

use serde_json::Value;

use crate::{ReportError, python_float, python_json::to_python_json, write_atomically, write_json};

/// Writes `eval_results.txt`, one `key = value` a line in key order as the 2018 scripts did, and the same results as
/// `eval_results.json`.
///
/// # Errors
///
/// Fails where a file cannot be written.
pub fn write_eval_results(
    dir: &Path,
    results: &BTreeMap<String, Value>,
) -> Result<(), ReportError> {
    let path = dir.join("eval_results.txt");
    let mut lines = String::new();
    for (key, value) in results {
        let value = plain(value).map_err(|source| ReportError::Json {
            path: path.clone(),
            source,
        })?;
        lines.push_str(&format!("{key} = {value}\n"));
    }
    write_atomically(&path, |out| out.write_all(lines.as_bytes()))?;
    write_json(&dir.join("eval_results.json"), results)
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
        let back: BTreeMap<String, Value> = serde_json::from_str(&json).expect("it parses");
        assert_eq!(back, results);
    }
}
