//! JSON files in Python's layout.

use bert_files::Destination;
use serde::{Serialize, Serializer};

use crate::{RecordError, python_json::to_python_json};

/// Writes a value as `json.dumps(value, indent=4)` and a line end.
///
/// # Errors
///
/// Fails where the file cannot be written or the value has no JSON form.
pub fn write_json<T: Serialize + ?Sized>(
    mut to: impl Destination,
    name: &str,
    value: &T,
) -> Result<(), RecordError> {
    let mut json = to_python_json(value).map_err(|source| RecordError::Json {
        path: to.path_of(name),
        source,
    })?;
    json.push('\n');
    to.write_file(name, |out| out.write_all(json.as_bytes()))?;
    Ok(())
}

/// Key-value pairs that serialise as a JSON object in the order of the iterator.
///
/// ```
/// use bert_records::{Entries, to_python_json};
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
        let entries = Entries([("b", 1), ("a", 2)].into_iter());
        write_json(folder.path(), "predictions.json", &entries).expect("it is written");
        let text = fs::read_to_string(&path).expect("it is there");
        assert_eq!(text, "{\n    \"b\": 1,\n    \"a\": 2\n}\n");
    }

    #[test]
    fn a_value_without_a_json_form_leaves_no_file() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("out.json");
        let value = BTreeMap::from([(vec![1], 1)]);
        let message = write_json(folder.path(), "out.json", &value)
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
