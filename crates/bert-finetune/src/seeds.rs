//! One recipe with several seeds: mean and standard deviation.

use std::collections::BTreeMap;
use std::path::Path;

use bert_records::write_json;
use bert_tasks::percent_cell;
use serde_json::{Value, json};

use crate::{FinetuneError, RunOutcome};

/// Mean and sample standard deviation (with n - 1); `None` without values, and 0 for one.
fn mean_and_deviation(values: &[f64]) -> Option<(f64, f64)> {
    if values.is_empty() {
        return None;
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let deviation = match values.len() {
        1 => 0.0,
        count => (squares / (count - 1) as f64).sqrt(),
    };
    Some((mean, deviation))
}

/// Writes `seeds.json`: every run's results, and each number's mean and standard deviation.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn write_summary(dir: &Path, outcomes: &[RunOutcome]) -> Result<(), FinetuneError> {
    let mut values: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (key, value) in outcomes.iter().flat_map(|outcome| &outcome.results) {
        if let Some(value) = value.as_f64() {
            values.entry(key).or_default().push(value);
        }
    }
    let mut means = BTreeMap::new();
    let mut deviations = BTreeMap::new();
    // A score that one run lacks has no mean over the runs.
    let complete = values
        .into_iter()
        .filter(|(_, values)| values.len() == outcomes.len());
    for (key, values) in complete {
        if let Some((mean, deviation)) = mean_and_deviation(&values) {
            means.insert(key, mean);
            deviations.insert(key, deviation);
        }
    }
    let by_seed = |pick: fn(&RunOutcome) -> Option<Value>| -> BTreeMap<String, Value> {
        let picked = outcomes.iter();
        picked
            .filter_map(|outcome| Some((outcome.seed.to_string(), pick(outcome)?)))
            .collect()
    };
    let summary = json!({
        "seeds": outcomes.iter().map(|outcome| outcome.seed).collect::<Vec<_>>(),
        "results": by_seed(|outcome| Some(json!(outcome.results))),
        "degenerate": by_seed(|outcome| outcome.degenerate.as_ref().map(|reason| json!(reason))),
        "mean": means,
        "standard_deviation": deviations,
    });
    write_json(dir, "seeds.json", &summary)?;
    Ok(())
}

/// The mean of a score over the runs, and its standard deviation, as a table has them.
pub fn summary_cell(outcomes: &[RunOutcome], score: usize) -> String {
    let values: Option<Vec<f64>> = outcomes
        .iter()
        .map(|outcome| outcome.table.last().get(score)?.percent)
        .collect();
    match values.as_deref().and_then(mean_and_deviation) {
        Some((mean, deviation)) if outcomes.len() > 1 => format!("{mean:.2} ± {deviation:.2}"),
        Some((mean, _)) => percent_cell(Some(mean)),
        None => percent_cell(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deviation_is_that_of_a_sample() {
        assert_eq!(mean_and_deviation(&[]), None);
        assert_eq!(mean_and_deviation(&[3.0]), Some((3.0, 0.0)));
        assert_eq!(mean_and_deviation(&[1.0, 2.0, 3.0]), Some((2.0, 1.0)));
    }
}
