//! JSON files in Python's layout.

use std::path::Path;

use serde::{Serialize, Serializer};

use crate::{ReportError, python_json::to_python_json, write_atomically};

/// Writes a value as `json.dumps(value, indent=4)` and a line end, atomically.
///
/// # Errors
///
/// Fails where the file cannot be written or the value has no JSON form.
pub fn write_json<T: Serialize + ?Sized>(path: &Path, value: &T) -> Result<(), ReportError> {
    let mut json = to_python_json(value).map_err(|source| ReportError::Json {
        path: path.to_owned(),
        source,
    })?;
    json.push('\n');
    write_atomically(path, |out| out.write_all(json.as_bytes()))
}

/// Key-value pairs that serialise as a JSON object in the order of the iterator.
///
/// ```
/// use bert_report::{Entries, to_python_json};
///
/// let predictions = [("q2", "Paris"), ("q1", "")];
/// let json = to_python_json(&Entries(predictions.iter().copied())).expect("texts have a JSON form");
/// assert_eq!(json, "{\n    \"q2\": \"Paris\",\n    \"q1\": \"\"\n}");
/// ```
#[derive(Debug, Clone)]
pub struct Entries<I>(
    /// The pairs; cloned once for every serialisation.
    pub I,
);

impl<K, V, I> Serialize for Entries<I>
where
    K: Serialize,
    V: Serialize,
    I: Iterator<Item = (K, V)> + Clone,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs};

    use super::*;

    #[test]
    fn a_file_ends_with_a_line_end() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("predictions.json");
        write_json(&path, &Entries([("b", 1), ("a", 2)].into_iter())).expect("it is written");
        let text = fs::read_to_string(&path).expect("it is there");
        assert_eq!(text, "{\n    \"b\": 1,\n    \"a\": 2\n}\n");
    }

    #[test]
    fn a_value_without_a_json_form_leaves_no_file() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("out.json");
        let value = BTreeMap::from([(vec![1], 1)]);
        let message = write_json(&path, &value)
            .expect_err("a list is no key")
            .to_string();
        assert_eq!(
            message,
            format!(
                "{}: cannot be written as JSON: key must be a string",
                path.display()
            )
        );
        assert!(!path.exists());
    }
}
