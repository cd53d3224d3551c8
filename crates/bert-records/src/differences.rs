//! What tells the settings of two runs apart.

use std::{collections::BTreeSet, fmt};

use serde_json::Value;

static NULL: Value = Value::Null;

/// A setting that two runs do not share.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The names on the way to it joined by dots, such as `recipe.learning_rate`.
    pub key: String,
    /// Its value in the earlier run, null where it had none.
    pub earlier: Value,
    /// Its value now, null where it has none.
    pub now: Value,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} was {} and is {}", self.key, self.earlier, self.now)
    }
}

/// Every leaf in which two settings differ, in key order. A key that one of them lacks is compared as null, and a list
/// is compared as a whole.
///
/// `ignored` are dotted keys that are not compared, with everything below them.
///
/// ```
/// use bert_records::differences;
/// use serde_json::json;
///
/// let earlier = json!({"output_dir": "a", "recipe": {"epochs": 2.0, "learning_rate": 5e-5}});
/// let now = json!({"output_dir": "b", "recipe": {"epochs": 3.0, "learning_rate": 5e-5}});
/// let found = differences(&earlier, &now, &["output_dir"]);
/// assert_eq!(found.len(), 1);
/// assert_eq!(found[0].to_string(), "recipe.epochs was 2.0 and is 3.0");
/// ```
pub fn differences(earlier: &Value, now: &Value, ignored: &[&str]) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", earlier, now, ignored, &mut found);
    found
}

fn compare(key: &str, earlier: &Value, now: &Value, ignored: &[&str], found: &mut Vec<Difference>) {
    if ignored.contains(&key) || earlier == now {
        return;
    }
    let Some(names) = common_level(earlier, now) else {
        found.push(Difference {
            key: key.to_owned(),
            earlier: earlier.clone(),
            now: now.clone(),
        });
        return;
    };
    for name in names {
        let below = if key.is_empty() {
            name.clone()
        } else {
            format!("{key}.{name}")
        };
        let [before, after] = [earlier, now].map(|value| value.get(name).unwrap_or(&NULL));
        compare(&below, before, after, ignored, found);
    }
}

/// The keys of both values in order; `None` where they are to be compared as they are.
fn common_level<'a>(earlier: &'a Value, now: &'a Value) -> Option<BTreeSet<&'a String>> {
    match (earlier, now) {
        (Value::Object(before), Value::Object(after)) => {
            Some(before.keys().chain(after.keys()).collect())
        }
        // A whole group that is missing is told by its leaves. One without leaves has only itself to be told by.
        (Value::Object(fields), Value::Null) | (Value::Null, Value::Object(fields))
            if !fields.is_empty() =>
        {
            Some(fields.keys().collect())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_leaf_that_differs_is_told_in_key_order() {
        let cases = [
            (json!({"a": 1}), json!({"a": 1}), vec![]),
            (
                json!({"a": 1}),
                json!({"a": 1.0}),
                vec!["a was 1 and is 1.0"],
            ),
            (
                json!({"b": {"y": 1, "x": [1, 2], "same": 0}, "a": "q\n"}),
                json!({"b": {"y": 2, "x": [1, 3], "same": 0}, "a": "p"}),
                vec![
                    "a was \"q\\n\" and is \"p\"",
                    "b.x was [1,2] and is [1,3]",
                    "b.y was 1 and is 2",
                ],
            ),
            (
                json!({"lacking": true, "none": null}),
                json!({"new": {"deep": {"z": 5e-5, "none": null}}}),
                vec![
                    "lacking was true and is null",
                    "new.deep.z was null and is 0.00005",
                ],
            ),
            (
                json!({"schedule": "linear"}),
                json!({"schedule": {"warm": 0.1}}),
                vec!["schedule was \"linear\" and is {\"warm\":0.1}"],
            ),
            (json!({"a": {}}), json!({}), vec!["a was {} and is null"]),
            (json!({}), json!(null), vec![" was {} and is null"]),
        ];
        for (earlier, now, expected) in cases {
            let found: Vec<String> = differences(&earlier, &now, &[])
                .iter()
                .map(Difference::to_string)
                .collect();
            assert_eq!(found, expected, "{earlier} {now}");
            assert_eq!(differences(&now, &earlier, &[]).len(), expected.len());
        }
    }

    #[test]
    fn an_ignored_key_covers_what_is_below_it_and_nothing_else() {
        let earlier = json!({"run": {"dir": 1, "seed": 1}, "run_id": 1, "dir": 1});
        let now = json!({"run": {"dir": 2, "seed": 2}, "run_id": 2, "dir": 2});
        let cases = [
            (vec!["run"], vec!["dir", "run_id"]),
            (vec!["run.dir"], vec!["dir", "run.seed", "run_id"]),
            (vec!["dir", "run_id", "ru"], vec!["run.dir", "run.seed"]),
            (
                vec!["seed", "run.dir.x"],
                vec!["dir", "run.dir", "run.seed", "run_id"],
            ),
        ];
        for (ignored, expected) in cases {
            let found = differences(&earlier, &now, &ignored);
            let keys: Vec<&str> = found.iter().map(|found| found.key.as_str()).collect();
            assert_eq!(keys, expected, "{ignored:?}");
        }
        let group = differences(&json!({}), &earlier, &["run.dir", "run_id", "dir"]);
        assert_eq!(group.len(), 1);
        assert_eq!(group[0].key, "run.seed");
    }
}
