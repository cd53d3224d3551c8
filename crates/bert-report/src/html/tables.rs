//! What a run is and came to, as tables.

use bert_records::InputFile;
use maud::{Markup, html};
use serde_json::{Map, Value};

use super::text::{bytes, grouped, text, value};
use crate::RunReport;

/// Dotted names and values of what a value holds; lists stay whole.
pub(crate) fn leaves(value: &Value) -> Vec<(String, &Value)> {
    fn add<'a>(name: &str, value: &'a Value, leaves: &mut Vec<(String, &'a Value)>) {
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                for (key, below) in fields {
                    let name = if name.is_empty() {
                        key.clone()
                    } else {
                        format!("{name}.{key}")
                    };
                    add(&name, below, leaves);
                }
            }
            other => leaves.push((name.to_owned(), other)),
        }
    }
    let mut found = Vec::new();
    add("", value, &mut found);
    found
}

/// Names and values.
fn keys<'a>(caption: &str, rows: impl IntoIterator<Item = (String, Markup)> + 'a) -> Markup {
    html! {
        div.scroll { table.keys {
            caption { (caption) }
            tbody { @for (name, cell) in rows { tr { th scope="row" { (text(&name)) } td { (cell) } } } }
        } }
    }
}

/// A nested value as a table: single values first, then a group for each of those that hold others.
fn nested(caption: &str, whole: &Value) -> Markup {
    let Value::Object(fields) = whole else {
        return html! { p { (value(whole)) } };
    };
    let is_group = |below: &Value| below.as_object().is_some_and(|fields| !fields.is_empty());
    let row = |name: &str, below: &Value| html! { tr { th scope="row" { (text(name)) } td { (value(below)) } } };
    html! {
        div.scroll { table.keys {
            caption { (caption) }
            tbody { @for (key, below) in fields { @if !is_group(below) { (row(key, below)) } } }
            @for (key, below) in fields { @if is_group(below) {
                tbody {
                    tr { th.group colspan="2" scope="rowgroup" { (text(key)) } }
                    @for (name, below) in leaves(below) { (row(&name, below)) }
                }
            } }
        } }
    }
}

/// What `eval_results.json` holds besides the scores at the top of the page.
pub(super) fn results(report: &RunReport) -> Markup {
    let headline = report.headline();
    let is_above = |result: &Value| {
        let same = |score: f64, result: f64| (score - result).abs() <= 1e-9 * score.abs();
        // The scripts' results are percentages, or shares that the page shows in percent.
        result.as_f64().is_some_and(|result| {
            let mut scores = headline.iter().filter_map(|(_, score)| *score);
            scores.any(|score| same(score, result) || same(score, 100.0 * result))
        })
    };
    let others: Vec<(String, Markup)> = report
        .results
        .iter()
        .filter(|(_, result)| !is_above(result))
        .map(|(key, result)| (key.clone(), value(result)))
        .collect();
    html! {
        @if report.results.is_empty() {
            h2 { "Results" }
            p.note { "The run has left no eval_results.json." }
        } @else if !others.is_empty() {
            h2 { "Other results" }
            (keys("From eval_results.json", others))
        }
    }
}

/// What the evaluations on the way came to.
pub(super) fn evaluations(report: &RunReport) -> Markup {
    let series = &report.metrics.evaluations;
    let mut steps: Vec<f64> = series
        .values()
        .flat_map(|series| series.points.iter().map(|point| point.0))
        .collect();
    steps.sort_by(f64::total_cmp);
    steps.dedup();
    if steps.is_empty() {
        return html! {};
    }
    // The plot has the rest.
    const SHOWN: usize = 200;
    let first = steps.len().saturating_sub(SHOWN);
    html! {
        details {
            summary { "Every evaluation" }
            @if first > 0 { p.note { "The last " (SHOWN) " of " (grouped(steps.len() as u64)) "." } }
            div.scroll { table {
                thead { tr { th.num scope="col" { "step" } @for key in series.keys() { th.num scope="col" { (text(key)) } } } }
                tbody { @for step in &steps[first..] { tr {
                    th.num scope="row" { (step) }
                    @for series in series.values() {
                        td.num {
                            @match series.points.binary_search_by(|point| point.0.total_cmp(step)) {
                                Ok(at) => (super::text::short(series.points[at].1)),
                                Err(_) => "–",
                            }
                        }
                    }
                } } }
            } }
        }
    }
}

/// What the run came to, but for what is shown elsewhere.
pub(super) fn summary(report: &RunReport) -> Markup {
    let Some(summary) = &report.record.summary else {
        return html! { p.note { "The run has left no summary." } };
    };
    let mut summary = summary.clone();
    if let Some(fields) = summary.as_object_mut() {
        for shown in ["left_out", "evaluations"] {
            fields.remove(shown);
        }
        if let Some(outcome) = fields.get_mut("outcome").and_then(Value::as_object_mut) {
            for shown in ["table", "results"] {
                outcome.remove(shown);
            }
        }
    }
    nested("Summary", &summary)
}

/// What of the data was not used, and why.
pub(super) fn left_out(report: &RunReport) -> Markup {
    let left_out = report
        .record
        .summary
        .as_ref()
        .and_then(|summary| summary.get("left_out"));
    match left_out {
        None => html! { p.note { "The run has recorded nothing of this." } },
        Some(Value::Array(lines)) if lines.is_empty() => html! { p { "Nothing was left out." } },
        Some(Value::Array(lines)) => html! { ul { @for line in lines { li { (value(line)) } } } },
        Some(other) => nested("Left out", other),
    }
}

/// The resolved settings.
pub(super) fn settings(report: &RunReport) -> Markup {
    if report.absent.contains("settings") {
        return html! { p.note { "The run has recorded no settings." } };
    }
    nested(
        "Resolved settings, defaults included",
        &report.record.settings,
    )
}

/// The files that the run read.
pub(super) fn inputs(inputs: &[InputFile]) -> Markup {
    if inputs.is_empty() {
        return html! { p.note { "The run has recorded no inputs." } };
    }
    html! {
        div.scroll { table.files {
            thead { tr { th scope="col" { "Path" } th.num scope="col" { "Size" } th scope="col" { "SHA-256" } } }
            tbody { @for input in inputs { tr {
                th scope="row" { (text(&input.path)) }
                td.num title={(grouped(input.bytes)) " bytes"} { (bytes(input.bytes)) }
                td.mono { (text(&input.sha256)) }
            } } }
        } }
    }
}

/// Where the run was made, and what its record holds besides.
pub(super) fn environment(report: &RunReport) -> Markup {
    let record = &report.record;
    let own = [("version", &record.version), ("created", &record.created)];
    let own = own
        .into_iter()
        .filter(|(name, _)| !report.absent.contains(name))
        .map(|(name, cell)| (name.to_owned(), text(cell)));
    let finished = record
        .finished
        .iter()
        .map(|when| ("finished".to_owned(), text(when)));
    let seed =
        (!report.absent.contains("seed")).then(|| ("seed".to_owned(), html! { (record.seed) }));
    let noted = report
        .environment
        .entries
        .iter()
        .map(|(name, cell)| (name.clone(), text(cell)));
    html! {
        (keys("The run", own.chain(finished).chain(seed).chain(noted)))
        @if !report.other.is_empty() { (other(&report.other)) }
    }
}

fn other(fields: &Map<String, Value>) -> Markup {
    nested("In run.json besides", &Value::Object(fields.clone()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn leaves_are_named_by_the_way_to_them() {
        let value = json!({"a": {"b": {"c": 1}, "d": [1, {"e": 2}]}, "f": {}, "g": null});
        let names: Vec<String> = leaves(&value)
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(names, ["a.b.c=1", "a.d=[1,{\"e\":2}]", "f={}", "g=null"]);
        assert_eq!(leaves(&json!(7)).len(), 1);
    }
}
