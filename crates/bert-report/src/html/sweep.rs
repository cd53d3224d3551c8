//! A sweep as a page.

use maud::{Markup, html};

use super::{page::page, text::text};
use crate::{Statistic, SweepRow, SweepSummary};

/// A sweep as a page: the configurations, the best first, the mean for each value of each flag, and links to the reports
/// of the runs.
pub fn render_sweep(sweep: &SweepSummary) -> String {
    let count = sweep.configurations.len();
    let header = html! {
        p.kicker { (text(&sweep.task)) }
        h1 { "A sweep of " (count + sweep.to_come) " configurations" }
        @if sweep.to_come > 0 { p { (sweep.to_come) " of them are not trained yet." } }
    };
    let main = html! {
        h2 { "Configurations" }
        (configurations(sweep))
        // A shorter training is not compared with a whole one.
        @if sweep.to_come == 0 && sweep.configurations.iter().all(|row| row.training >= 1.0) {
            h2 { "Each flag alone" }
            @for (n, flag) in sweep.varied.iter().enumerate() { (flag_alone(sweep, n, flag)) }
        }
        h2 { "Runs" }
        (runs(sweep))
    };
    let title = format!(
        "{}: a sweep of {} configurations",
        sweep.task,
        count + sweep.to_come
    );
    page(&title, header, main, &sweep.version)
}

fn class(is_number: bool) -> &'static str {
    if is_number { "num" } else { "text" }
}

fn configurations(sweep: &SweepSummary) -> Markup {
    let columns = sweep.columns();
    html! {
        div.scroll { table {
            caption { "The best first; scores in percent on the development set, over several runs mean ± standard deviation" }
            thead { tr {
                @for column in &columns { th class=(class(column.is_number)) scope="col" { (text(&column.name)) } }
            } }
            tbody { @for n in 0..sweep.configurations.len() { tr {
                @for column in &columns { td class=(class(column.is_number)) { (text(&column.cells[n])) } }
            } } }
        } }
    }
}

/// The score of the configurations that share a value.
fn flag_alone(sweep: &SweepSummary, n: usize, flag: &str) -> Markup {
    let mut values: Vec<&String> = Vec::new();
    for row in &sweep.configurations {
        if !values.contains(&&row.values[n]) {
            values.push(&row.values[n]);
        }
    }
    // Of a value that was drawn once there is no mean.
    if values.len() == sweep.configurations.len() && sweep.varied.len() > 1 {
        return html! {};
    }
    let of = |value: &String| -> Vec<&SweepRow> {
        let rows = sweep.configurations.iter();
        rows.filter(|row| row.values[n] == *value).collect()
    };
    let mean = |rows: &[&SweepRow]| {
        let means = rows.iter().filter_map(|row| Some(row.score?.mean));
        let found = Statistic::of(&means.collect::<Vec<_>>());
        found.map_or_else(|| "undefined".to_owned(), |found| found.to_string())
    };
    html! {
        div.scroll { table {
            caption { "Mean score of the configurations with a value of --" (text(flag)) }
            thead { tr { th scope="col" { (text(flag)) } th.num scope="col" { "configurations" } th.num scope="col" { "score" } } }
            tbody { @for value in values { tr {
                th scope="row" { (text(value)) }
                td.num { (of(value).len()) }
                td.num { (mean(&of(value))) }
            } } }
        } }
    }
}

fn runs(sweep: &SweepSummary) -> Markup {
    let number = |score: Option<f64>| {
        score.map_or_else(|| "undefined".to_owned(), |score| format!("{score:.2}"))
    };
    html! {
        div.scroll { table {
            caption { "Every run is a folder with a report of its own" }
            thead { tr { th scope="col" { "folder" } th.num scope="col" { "seed" } th.num scope="col" { "score" } th.text scope="col" { "notes" } } }
            tbody { @for run in sweep.configurations.iter().flat_map(|row| &row.runs) { tr {
                th scope="row" { a href=(link(&run.folder)) { (text(&run.folder)) } }
                td.num { (run.seed) }
                td.num { (number(run.score)) }
                td.text {
                    @if let Some(seed) = run.retry_of { "in place of seed " (seed) ". " }
                    @if let Some(reason) = &run.degenerate { "degenerate: " (text(reason)) }
                }
            } } }
        } }
    }
}

/// A run's report as a relative address.
fn link(folder: &str) -> String {
    let mut address = String::from("./");
    for byte in folder.bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' => address.push(byte as char),
            _ if byte.is_ascii_alphanumeric() => address.push(byte as char),
            _ => address.push_str(&format!("%{byte:02X}")),
        }
    }
    address + "/report.html"
}
