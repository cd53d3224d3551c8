//! The other program: its figures, and how ours compare.

use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use serde_json::{Map, Value, json};
use tracing::info;

/// What both programs measure; more is better.
const MEASURES: [(&str, &str); 4] = [
    ("windows_per_s", "/windows_per_s"),
    ("sequences_per_s", "/sequences_per_s"),
    ("padded_384", "/padded_384/sequences_per_s"),
    ("grouped", "/grouped/sequences_per_s"),
];

/// Measures, and runs the other program where there is one, in turn, and prints the medians and their ratio.
///
/// # Errors
/// When either fails.
pub(super) fn compare(
    rounds: usize,
    command: Option<&str>,
    mut measure: impl FnMut() -> anyhow::Result<Value>,
) -> anyhow::Result<()> {
    let mut ours = Vec::new();
    let mut theirs = Vec::new();
    let mut failure = None;
    for round in 0..rounds {
        if rounds > 1 {
            info!("round {} of {rounds}", round + 1);
        }
        ours.push(measure()?);
        match command.map(run).transpose() {
            Ok(value) => theirs.extend(value),
            Err(error) => {
                // What was measured is printed all the same.
                failure = Some(error);
                break;
            }
        }
    }
    let ours = median(&ours);
    let mut out = std::io::stdout().lock();
    writeln!(out, "{ours}")?;
    if let Some(error) = failure {
        return Err(error);
    }
    if command.is_some() {
        let theirs = median(&theirs);
        writeln!(out, "{theirs}")?;
        let ratio = ratios(&ours, &theirs)?;
        writeln!(out, "{}", json!({ "ratio": ratio }))?;
    }
    Ok(())
}

/// Runs a command and reads the JSON object on the last line of its output.
///
/// # Errors
/// When it fails or prints none.
fn run(command: &str) -> anyhow::Result<Value> {
    let output = Command::new("sh")
        .args(["-c", command])
        .stderr(Stdio::inherit())
        .output()
        .context("--against: sh could not be started")?;
    if !output.status.success() {
        bail!("--against: {command:?} failed ({})", output.status);
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text.lines().rfind(|line| !line.trim().is_empty());
    let last = last.unwrap_or_default();
    match serde_json::from_str(last) {
        Ok(value @ Value::Object(_)) => Ok(value),
        _ => bail!("--against: {command:?} printed {last:?} last, expected a JSON object"),
    }
}

/// One value for several rounds: numbers by their median, the rest as in the first.
fn median(rounds: &[Value]) -> Value {
    let Some(first) = rounds.first() else {
        return Value::Null;
    };
    match first {
        Value::Object(fields) => {
            let field = |key: &String| {
                let values: Vec<Value> =
                    rounds.iter().filter_map(|r| r.get(key).cloned()).collect();
                (key.clone(), median(&values))
            };
            Value::Object(fields.keys().map(field).collect::<Map<_, _>>())
        }
        Value::Number(_) if rounds.iter().any(|value| value != first) => {
            json!(middle(rounds.iter().filter_map(Value::as_f64).collect()))
        }
        other => other.clone(),
    }
}

/// The median of at least one number.
pub(super) fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() % 2 {
        0 => f64::midpoint(values[middle - 1], values[middle]),
        _ => values[middle],
    }
}

/// Our figures over theirs. Where lengths were grouped, also over padding to 384.
///
/// # Errors
/// When the other program measures nothing that ours does.
fn ratios(ours: &Value, theirs: &Value) -> anyhow::Result<Value> {
    let at = |value: &Value, path: &str| value.pointer(path).and_then(Value::as_f64);
    let mut ratios = Map::new();
    for (name, path) in MEASURES {
        if let (Some(ours), Some(theirs)) = (at(ours, path), at(theirs, path)) {
            ratios.insert(name.to_owned(), json!(ours / theirs));
        }
    }
    let [.., (_, padded), (_, grouped)] = MEASURES;
    if let (Some(ours), Some(theirs)) = (at(ours, grouped), at(theirs, padded)) {
        ratios.insert("grouped_over_padded_384".to_owned(), json!(ours / theirs));
    }
    if ratios.is_empty() {
        bail!("--against: found none of our figures in {theirs}");
    }
    Ok(Value::Object(ratios))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_several_rounds_become_their_median() {
        let rounds = [
            json!({"model": "tiny", "steps": 3, "grouped": {"sequences_per_s": 3.0}}),
            json!({"model": "tiny", "steps": 3, "grouped": {"sequences_per_s": 1.0}}),
            json!({"model": "tiny", "steps": 3, "grouped": {"sequences_per_s": 7.5}}),
        ];
        assert_eq!(median(&rounds), rounds[0]);
        assert_eq!(
            median(&rounds[..2])["grouped"]["sequences_per_s"],
            json!(2.0)
        );
    }

    #[test]
    fn ratios_are_ours_over_theirs() {
        let ours =
            json!({"padded_384": {"sequences_per_s": 4.0}, "grouped": {"sequences_per_s": 9.0}});
        let theirs =
            json!({"padded_384": {"sequences_per_s": 2.0}, "grouped": {"sequences_per_s": 6.0}});
        let expected = json!({"padded_384": 2.0, "grouped": 1.5, "grouped_over_padded_384": 4.5});
        assert_eq!(ratios(&ours, &theirs).unwrap(), expected);
        assert!(ratios(&ours, &json!({"ms": 1})).is_err());
    }

    #[test]
    fn the_last_line_is_read() {
        let found = run("echo noise; echo '{\"sequences_per_s\": 2}'; echo").unwrap();
        assert_eq!(found, json!({"sequences_per_s": 2}));
        for bad in ["exit 3", "echo text", "true"] {
            assert!(run(bad).is_err(), "{bad}");
        }
    }
}
