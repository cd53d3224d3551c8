//! What the files hold that a run was trained on.

use maud::{Markup, html};

use super::{
    page::bar,
    text::{grouped, percent, short, text},
};
use crate::{DataCheck, FileCheck, Lengths};

/// The most labels that are shown.
const LABELS: usize = 20;

pub(super) fn data(check: &DataCheck) -> Markup {
    html! {
        h2 { "The data" }
        @for (n, file) in check.files.iter().enumerate() {
            h3 { (text(&file.path.display().to_string())) }
            (facts(file, (n > 0).then_some(check.overlap)))
            div.breakdowns {
                @if !file.labels.is_empty() { (labels(file)) }
                (lengths(&file.tokens))
            }
        }
        @if let Some(length) = check.suggested_max_seq_length {
            p.note { "Of the first file 99 % of the rows are whole with " code { "--max-seq-length " (length) } "." }
        }
    }
}

/// A file's numbers; `overlap` of its rows are in the training file too.
fn facts(file: &FileCheck, overlap: Option<usize>) -> Markup {
    let count = |count: usize| grouped(count as u64);
    let share = |share: f64| format!("{} %", percent(Some(100.0 * share)));
    let mut rows = vec![("examples", count(file.rows))];
    for (name, odd) in [
        ("without a text", file.empty),
        ("that repeat an earlier one", file.repeated),
        ("texts with different labels", file.conflicting),
        (
            "answers that do not stand at their offset",
            file.misplaced_answers,
        ),
        ("in the training file too", overlap.unwrap_or(0)),
        ("without a label", file.unlabelled.unwrap_or(0)),
    ] {
        if odd > 0 {
            rows.push((name, count(odd)));
        }
    }
    if let Some(numbers) = file.numbers {
        let (least, most) = (short(numbers.least), short(numbers.most));
        let (mean, error) = (short(numbers.mean), short(numbers.standard_deviation));
        rows.push(("numbers", format!("{least} to {most}, mean {mean}")));
        rows.push(("error of always saying the mean, root mean square", error));
    }
    for (name, accuracy) in [
        ("right by the most frequent label", file.majority_accuracy),
        ("right by chance", file.random_accuracy),
    ] {
        if let Some(accuracy) = accuracy {
            rows.push((name, share(accuracy)));
        }
    }
    rows.push(("cut, as they are too long", share(file.cut_share)));
    rows.push(("tokens that are unknown", share(file.unknown_share)));
    html! {
        div.scroll { table.keys { tbody { @for (name, value) in rows {
            tr { th scope="row" { (name) } td { (value) } }
        } } } }
    }
}

fn labels(file: &FileCheck) -> Markup {
    let mut labels: Vec<(&String, usize)> = file.labels.iter().map(|(it, n)| (it, *n)).collect();
    labels.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let left_out = labels.len().saturating_sub(LABELS);
    labels.truncate(LABELS);
    let rows = labels.iter().map(|(label, count)| (label.as_str(), *count));
    html! {
        div {
            (bars("Labels", "label", rows))
            @if left_out > 0 { p.note { (grouped(left_out as u64)) " rarer labels are not shown." } }
        }
    }
}

fn lengths(tokens: &Lengths) -> Markup {
    let names: Vec<(String, usize)> = tokens
        .histogram
        .iter()
        .map(|(bound, count)| (format!("up to {bound}"), *count))
        .collect();
    html! {
        div {
            (bars("Lengths", "tokens", names.iter().map(|(name, count)| (name.as_str(), *count))))
            p.note {
                (tokens.least) " to " (tokens.most) ", median " (tokens.median) ", 95 % up to " (tokens.percentile_95)
                ", 99 % up to " (tokens.percentile_99) "."
            }
        }
    }
}

/// Counts, with bars as long as their share of the largest.
fn bars<'a>(
    caption: &str,
    unit: &str,
    rows: impl Iterator<Item = (&'a str, usize)> + Clone,
) -> Markup {
    let most = rows.clone().map(|(_, count)| count).max().unwrap_or(1);
    html! {
        table {
            caption { (caption) }
            thead { tr { th scope="col" { (unit) } th.num scope="col" { "count" } td {} } }
            tbody { @for (name, count) in rows { tr {
                th scope="row" { (text(name)) }
                td.num { (grouped(count as u64)) }
                td { (bar(count as f64 / most as f64)) }
            } } }
        }
    }
}
