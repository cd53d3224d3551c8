//! What a classifier's outputs mean: `id2label`, `label2id` and `problem_type` of `config.json`.

use std::collections::HashMap;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::{BertConfig, ModelError};

/// Outputs of a classifier whose configuration does not say, as in `transformers`.
const DEFAULT_LABELS: usize = 2;
/// The most outputs that need no names of their own. More than these are more than a line of `config.json` should make.
const MOST_UNNAMED: u64 = 1 << 14;
/// Keys of `config.json`.
const ID2LABEL: &str = "id2label";
const LABEL2ID: &str = "label2id";
const NUM_LABELS: &str = "num_labels";
const PROBLEM_TYPE: &str = "problem_type";
/// The `problem_type` of a classifier of several labels.
const MULTI_LABEL: &str = "multi_label_classification";

/// What a classifier's outputs mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelList {
    /// One score for each of these classes.
    Classes(Vec<String>),
    /// One score for each of these labels, of which a text may have several or none.
    Labels(Vec<String>),
    /// One output, a number.
    Score,
}

impl LabelList {
    /// Number of outputs.
    pub fn outputs(&self) -> usize {
        match self {
            Self::Classes(names) | Self::Labels(names) => names.len(),
            Self::Score => 1,
        }
    }
}

impl BertConfig {
    /// What a classifier's outputs mean. Without `id2label` there are as many classes as `num_labels`
    /// says, or two, called `LABEL_0` and so on; one output is a score, as in `transformers`. They are labels of which a
    /// text may have several where `problem_type` says so.
    pub fn label_list(&self) -> LabelList {
        let stored = self.other.get(ID2LABEL).and_then(Value::as_object);
        let names = match stored.filter(|map| !map.is_empty()) {
            Some(map) => (0..map.len()).filter_map(|id| name_of(map, id)).collect(),
            None => {
                let count = self.other.get(NUM_LABELS).and_then(Value::as_u64);
                let count = count.map_or(DEFAULT_LABELS, |count| count as usize);
                (0..count).map(default_name).collect::<Vec<_>>()
            }
        };
        match names.len() {
            _ if self.problem_type() == Some(MULTI_LABEL) => LabelList::Labels(names),
            1 => LabelList::Score,
            _ => LabelList::Classes(names),
        }
    }

    /// Says what a classifier's outputs mean.
    pub fn set_label_list(&mut self, labels: &LabelList) {
        let (names, problem_type) = match labels {
            LabelList::Classes(names) => (names.clone(), "single_label_classification"),
            LabelList::Labels(names) => (names.clone(), MULTI_LABEL),
            LabelList::Score => (vec![default_name(0)], "regression"),
        };
        let by_id: Map<String, Value> = names
            .iter()
            .enumerate()
            .map(|(id, name)| (id.to_string(), json!(name)))
            .collect();
        let by_name: Map<String, Value> = names
            .iter()
            .enumerate()
            .map(|(id, name)| (name.clone(), json!(id)))
            .collect();
        self.other.remove(NUM_LABELS);
        self.other.insert(ID2LABEL.to_owned(), Value::Object(by_id));
        self.other
            .insert(LABEL2ID.to_owned(), Value::Object(by_name));
        self.other
            .insert(PROBLEM_TYPE.to_owned(), json!(problem_type));
    }

    /// Forgets what a classifier's outputs meant, and its task: for a model that has none.
    pub fn clear_labels(&mut self) {
        for key in [
            NUM_LABELS,
            ID2LABEL,
            LABEL2ID,
            PROBLEM_TYPE,
            "finetuning_task",
        ] {
            self.other.remove(key);
        }
    }

    /// Checks that a classifier is of a kind that [`crate::heads::BertForSequenceClassification`] is; `path` is
    /// named in the error.
    ///
    /// # Errors
    /// When `problem_type` is neither classification nor regression with one output.
    pub fn check_problem_type(&self, path: &Path) -> Result<(), ModelError> {
        let fail = |found: String, expected| {
            Err(ModelError::ConfigValue {
                path: path.to_owned(),
                key: PROBLEM_TYPE,
                found,
                expected,
            })
        };
        let outputs = self.label_list().outputs();
        match self.problem_type() {
            None | Some("single_label_classification" | MULTI_LABEL) => Ok(()),
            Some("regression") if outputs == 1 => Ok(()),
            Some("regression") => {
                let found = format!("\"regression\" with {outputs} labels");
                fail(found, "one label for regression")
            }
            Some(kind) => {
                let expected = "\"single_label_classification\", \"multi_label_classification\" or \"regression\"";
                fail(format!("{kind:?}"), expected)
            }
        }
    }

    fn problem_type(&self) -> Option<&str> {
        self.other.get(PROBLEM_TYPE).and_then(Value::as_str)
    }

    /// The task that the checkpoint was fine-tuned on (`finetuning_task`), where it says.
    pub fn finetuning_task(&self) -> Option<&str> {
        self.other.get("finetuning_task")?.as_str()
    }

    /// Says which task the checkpoint is fine-tuned on.
    pub fn set_finetuning_task(&mut self, task: &str) {
        self.other.insert("finetuning_task".into(), json!(task));
    }

    /// Dropout probability of a classifier's input: `classifier_dropout`, or that of the hidden states.
    pub fn classifier_dropout(&self) -> f64 {
        let own = self.other.get("classifier_dropout").and_then(Value::as_f64);
        own.unwrap_or(self.hidden_dropout_prob)
    }
}

/// A class's name: a text, or a number as some scripts write it.
fn name_of(map: &Map<String, Value>, id: usize) -> Option<String> {
    match map.get(&id.to_string())? {
        Value::String(name) => Some(name.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn default_name(id: usize) -> String {
    format!("LABEL_{id}")
}

/// Checks what `config.json` says of a classifier.
///
/// # Errors
/// When `id2label` does not name classes 0 to n - 1, each differently, or a number is out of range.
pub(crate) fn validate(config: &BertConfig, path: &Path) -> Result<(), ModelError> {
    let fail = |key, found: String, expected| {
        Err(ModelError::ConfigValue {
            path: path.to_owned(),
            key,
            found,
            expected,
        })
    };
    let other = &config.other;
    if let Some(map) = other.get(ID2LABEL).filter(|map| !map.is_null()) {
        let expected = "an object that gives each of 0, 1, 2 … a name of its own";
        let Some(map) = map.as_object() else {
            return fail(ID2LABEL, map.to_string(), expected);
        };
        let mut ids: HashMap<String, usize> = HashMap::new();
        for id in 0..map.len() {
            let Some(name) = name_of(map, id) else {
                return fail(ID2LABEL, format!("no name for {id}"), expected);
            };
            if let Some(first) = ids.insert(name.clone(), id) {
                let found = format!("{name:?} for {first} and for {id}");
                return fail(ID2LABEL, found, expected);
            }
        }
    }
    let named = other.get(ID2LABEL).and_then(Value::as_object);
    if named.is_none_or(Map::is_empty)
        && let Some(count) = other.get(NUM_LABELS).filter(|count| !count.is_null())
        && !count
            .as_u64()
            .is_some_and(|count| (1..=MOST_UNNAMED).contains(&count))
    {
        let expected = "from 1 to 16384, or names under id2label";
        return fail(NUM_LABELS, count.to_string(), expected);
    }
    if let Some(p) = other.get("classifier_dropout").filter(|p| !p.is_null())
        && !p.as_f64().is_some_and(|p| (0.0..1.0).contains(&p))
    {
        return fail(
            "classifier_dropout",
            p.to_string(),
            "at least 0 and below 1",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = r#""vocab_size":100,"hidden_size":8,"num_hidden_layers":1,"num_attention_heads":2,"intermediate_size":16"#;

    fn parse(extra: &str) -> Result<BertConfig, ModelError> {
        let config: BertConfig = serde_json::from_str(&format!("{{{BASE}{extra}}}")).unwrap();
        config.validate(Path::new("config.json"))?;
        config.check_problem_type(Path::new("config.json"))?;
        Ok(config)
    }

    fn classes(names: &[&str]) -> LabelList {
        LabelList::Classes(names.iter().map(|&name| name.into()).collect())
    }

    #[test]
    fn labels_are_read_as_transformers_reads_them() {
        for (extra, expected) in [
            ("", classes(&["LABEL_0", "LABEL_1"])),
            (
                r#","num_labels":3"#,
                classes(&["LABEL_0", "LABEL_1", "LABEL_2"]),
            ),
            (r#","id2label":null"#, classes(&["LABEL_0", "LABEL_1"])),
            (
                r#","id2label":{"1":"entailment","0":"contradiction","2":"neutral"},"num_labels":2"#,
                classes(&["contradiction", "entailment", "neutral"]),
            ),
            (r#","id2label":{"0":0,"1":1}"#, classes(&["0", "1"])),
            (r#","id2label":{"0":"LABEL_0"}"#, LabelList::Score),
            (r#","num_labels":1"#, LabelList::Score),
        ] {
            assert_eq!(parse(extra).unwrap().label_list(), expected, "{extra}");
        }
    }

    #[test]
    fn more_than_ten_labels_keep_their_order() {
        let mut config = parse("").unwrap();
        let labels = LabelList::Classes((0..12).map(|n| format!("name-{n}")).collect());
        config.set_label_list(&labels);
        assert_eq!(config.label_list(), labels);
        config.validate(Path::new("config.json")).unwrap();
        config.set_label_list(&LabelList::Score);
        assert_eq!(config.label_list(), LabelList::Score);
        assert_eq!(config.other["problem_type"], "regression");
        for names in [&["a"][..], &["a", "b"]] {
            let labels = LabelList::Labels(names.iter().map(|&name| name.into()).collect());
            config.set_label_list(&labels);
            assert_eq!(config.label_list(), labels);
            assert_eq!(config.other["problem_type"], "multi_label_classification");
            config.check_problem_type(Path::new("config.json")).unwrap();
        }
    }

    #[test]
    fn impossible_labels_are_refused() {
        for (extra, expected) in [
            (r#","id2label":["a","b"]"#, "id2label: found [\"a\",\"b\"]"),
            (
                r#","id2label":{"0":"a","2":"b"}"#,
                "id2label: found no name for 1",
            ),
            (
                r#","id2label":{"0":"a","1":"a"}"#,
                "id2label: found \"a\" for 0 and for 1",
            ),
            (r#","num_labels":0"#, "num_labels: found 0"),
            (
                r#","num_labels":16385"#,
                "num_labels: found 16385, expected from 1 to 16384, or names",
            ),
            (
                r#","problem_type":"multi_label""#,
                "problem_type: found \"multi_label\"",
            ),
            (
                r#","problem_type":"regression""#,
                "problem_type: found \"regression\" with 2 labels",
            ),
            (
                r#","classifier_dropout":1.5"#,
                "classifier_dropout: found 1.5",
            ),
        ] {
            let message = parse(extra).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }
}
