//! One recipe with several seeds: mean and standard deviation.

use std::collections::BTreeMap;
use std::path::Path;

use bert_records::write_json;
use bert_report::Statistic;
use bert_tasks::percent_cell;
use serde_json::{Value, json};

use crate::{FinetuneError, RunOutcome, standing};

/// Writes `seeds.json`: every run's results, and each number's mean and standard deviation over the runs that count.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn write_summary(dir: &Path, outcomes: &[RunOutcome]) -> Result<(), FinetuneError> {
    let counted = standing(outcomes);
    let mut values: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (key, value) in counted.iter().flat_map(|outcome| &outcome.results) {
        if let Some(value) = value.as_f64() {
            values.entry(key).or_default().push(value);
        }
    }
    let mut means = BTreeMap::new();
    let mut deviations = BTreeMap::new();
    // A score that one run lacks has no mean over the runs.
    let complete = values
        .into_iter()
        .filter(|(_, values)| values.len() == counted.len());
    for (key, values) in complete {
        if let Some(found) = Statistic::of(&values) {
            means.insert(key, found.mean);
            deviations.insert(key, found.standard_deviation.unwrap_or(0.0));
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
        "retry_of": by_seed(|outcome| outcome.retry_of.map(|seed| json!(seed))),
        "mean": means,
        "standard_deviation": deviations,
    });
    write_json(dir, "seeds.json", &summary)?;
    Ok(())
}

/// An official score over the runs that count; `None` where it is not defined in one of them.
pub(crate) fn statistic(outcomes: &[RunOutcome], score: usize) -> Option<Statistic> {
    let values = standing(outcomes).into_iter();
    let values: Option<Vec<f64>> = values
        .map(|outcome| outcome.table.last().get(score)?.percent)
        .collect();
    Statistic::of(&values?)
}

/// The mean of an official score over the runs that count, and its standard deviation, as a table has them.
pub fn summary_cell(outcomes: &[RunOutcome], score: usize) -> String {
    statistic(outcomes, score).map_or_else(|| percent_cell(None), |found| found.to_string())
}
