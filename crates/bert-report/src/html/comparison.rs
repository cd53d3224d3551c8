//! Several runs side by side.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use maud::{Markup, html};
use serde_json::Value;

use super::{
    curves::{curve, is_score, not_finite},
    page::page,
    plot::{Curve, MOST_CURVES, Plot},
    tables::leaves,
    text::{duration, percent, short, text, value},
    thinning::{smoothed, thinned},
};
use crate::{ReportError, RunReport};

/// Cells that hold numbers, and others.
const NUMBERS: &str = "num";
const TEXTS: &str = "text";
/// The fewest runs that can be compared.
const LEAST: usize = 2;
/// Differs in every run, and is said above.
const NOT_COMPARED: [&str; 2] = ["output_dir", "overwrite_output_dir"];

/// Two to twelve runs of one task as a page: their scores, what differs in their settings and inputs, and their curves
/// over the same axes.
///
/// # Errors
///
/// Fails for fewer or more runs, and where runs name different tasks.
pub fn render_comparison(runs: &[RunReport]) -> Result<String, ReportError> {
    if !(LEAST..=MOST_CURVES).contains(&runs.len()) {
        return Err(ReportError::RunCount {
            found: runs.len(),
            least: LEAST,
            most: MOST_CURVES,
        });
    }
    let mut tasks = runs.iter().filter_map(|run| Some((run, run.task_label()?)));
    let first = tasks.next();
    if let Some((first, expected)) = &first {
        for (run, found) in tasks {
            if found != *expected {
                return Err(ReportError::OtherTask {
                    dir: run.dir.clone(),
                    found,
                    expected: expected.clone(),
                    first_dir: first.dir.clone(),
                });
            }
        }
    }
    let names = names(runs);
    let task = first.map_or_else(|| "Fine-tuning".to_owned(), |(_, task)| task);
    let header = html! {
        p.kicker { (text(&task)) }
        h1 { (runs.len()) " runs side by side" }
        dl.facts {
            @for (run, name) in runs.iter().zip(&names) {
                div { dt { (text(name)) } dd { code { (text(&run.dir.display().to_string())) } } }
            }
        }
    };
    let main = html! {
        h2 { "Scores" }
        (scores(runs, &names))
        div.plots { (loss(runs, &names).render()) (evaluation(runs, &names).render()) }
        h2 { "Settings" }
        (settings(runs, &names))
        h2 { "Inputs that differ" }
        (inputs(runs, &names))
    };
    let version = runs.first().map_or("", |run| &run.record.version);
    Ok(page(
        &format!("{task}: {} runs", runs.len()),
        header,
        main,
        version,
    ))
}

/// Where a comparison goes when the user does not say.
const FILE_NAME: &str = "comparison.html";

/// The path that a comparison is written to: the one that the user has named, whatever is there, or else
/// `comparison.html` in the current folder.
///
/// # Errors
///
/// Fails where the user has named none and `comparison.html` is there already: it may be the user's own, or an earlier
/// comparison that is still wanted.
pub fn comparison_path(named: Option<&Path>) -> Result<PathBuf, ReportError> {
    match named {
        Some(path) => Ok(path.to_owned()),
        None => unless_taken(PathBuf::from(FILE_NAME)),
    }
}

fn unless_taken(path: PathBuf) -> Result<PathBuf, ReportError> {
    // A link to nothing would be replaced too.
    if path.symlink_metadata().is_ok() {
        return Err(ReportError::Exists { path });
    }
    Ok(path)
}

/// The last parts of the runs' paths, as many as tell them apart.
fn names(runs: &[RunReport]) -> Vec<String> {
    let parts: Vec<Vec<String>> = runs
        .iter()
        .map(|run| {
            run.dir
                .components()
                .map(|part| part.as_os_str().to_string_lossy().into_owned())
                .collect()
        })
        .collect();
    let most = parts.iter().map(Vec::len).max().unwrap_or(0);
    let last = |length: usize| -> Vec<String> {
        parts
            .iter()
            .map(|parts| parts[parts.len().saturating_sub(length)..].join("/"))
            .collect()
    };
    let differ = |names: &Vec<String>| names.iter().collect::<BTreeSet<_>>().len() == names.len();
    (1..most)
        .map(last)
        .find(differ)
        .unwrap_or_else(|| last(most))
}

/// A table of runs as columns; `class` is the cells'.
fn table(caption: &str, class: &str, names: &[String], rows: &[(String, Vec<Markup>)]) -> Markup {
    html! {
        div.scroll { table {
            caption { (caption) }
            thead { tr { td {} @for name in names { th class=(class) scope="col" { (text(name)) } } } }
            tbody { @for (name, cells) in rows { tr {
                th scope="row" { (text(name)) }
                @for cell in cells { td class=(class) { (cell) } }
            } } }
        } }
    }
}

fn scores(runs: &[RunReport], names: &[String]) -> Markup {
    let mut rows = Vec::new();
    for key in in_order(
        runs.iter()
            .flat_map(RunReport::headline)
            .map(|(name, _)| name),
    ) {
        let of = |run: &RunReport| run.headline().into_iter().find(|(name, _)| *name == key)?.1;
        let found: Vec<Option<f64>> = runs.iter().map(of).collect();
        rows.push((
            format!("{key} (%)"),
            cells(&found, Best::Highest, percent_cell),
        ));
    }
    let keys: BTreeSet<&String> = runs.iter().flat_map(|run| run.results.keys()).collect();
    for key in keys {
        let found: Vec<Option<f64>> = runs
            .iter()
            .map(|run| run.results.get(key)?.as_f64())
            .collect();
        rows.push((key.clone(), cells(&found, Best::of(key), short)));
    }
    let summary = |run: &RunReport, key: &str| run.record.summary.as_ref()?.pointer(key)?.as_f64();
    for (name, key) in [
        ("training", "/seconds/training"),
        ("evaluation", "/seconds/evaluation"),
        ("saving", "/seconds/saving"),
    ] {
        let found: Vec<Option<f64>> = runs.iter().map(|run| summary(run, key)).collect();
        rows.push((
            format!("time, {name}"),
            cells(&found, Best::Unknown, duration),
        ));
    }
    let steps = |run: &RunReport| {
        let logged = || Some(run.metrics.steps.get("loss")?.points.last()?.0);
        summary(run, "/steps").or_else(logged)
    };
    let found: Vec<Option<f64>> = runs.iter().map(steps).collect();
    rows.push(("steps".to_owned(), cells(&found, Best::Unknown, short)));
    let status =
        |run: &RunReport| html! { (if run.is_finished() { "finished" } else { "unfinished" }) };
    rows.push(("status".to_owned(), runs.iter().map(status).collect()));
    html! {
        (table("The best of a row is marked ★", NUMBERS, names, &rows))
    }
}

/// Texts in the order in which they first come.
fn in_order(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = Vec::new();
    for text in texts {
        if !seen.contains(&text) {
            seen.push(text);
        }
    }
    seen
}

#[derive(Clone, Copy, PartialEq)]
enum Best {
    Highest,
    Lowest,
    /// Neither is better.
    Unknown,
}

impl Best {
    fn of(key: &str) -> Self {
        if key.contains("loss") || key.contains("seconds") {
            Self::Lowest
        } else if is_score(key) {
            Self::Highest
        } else {
            Self::Unknown
        }
    }
}

fn percent_cell(score: f64) -> String {
    percent(Some(score))
}

/// The best is marked, all of them where several are, and none where all are the same.
fn cells(values: &[Option<f64>], best: Best, format: fn(f64) -> String) -> Vec<Markup> {
    let finite = || {
        values
            .iter()
            .flatten()
            .copied()
            .filter(|value| value.is_finite())
    };
    let (low, high) = (finite().reduce(f64::min), finite().reduce(f64::max));
    let marked = match best {
        _ if low == high => None,
        Best::Highest => high,
        Best::Lowest => low,
        Best::Unknown => None,
    };
    let cell = |found: &Option<f64>| match found {
        None => html! { "–" },
        Some(found) if Some(*found) == marked => html! { span.best { "★ " (format(*found)) } },
        Some(found) => html! { (format(*found)) },
    };
    values.iter().map(cell).collect()
}

fn settings(runs: &[RunReport], names: &[String]) -> Markup {
    let all: Vec<BTreeMap<String, &Value>> = runs
        .iter()
        .map(|run| leaves(&run.record.settings).into_iter().collect())
        .collect();
    let keys: BTreeSet<&String> = all.iter().flat_map(BTreeMap::keys).collect();
    let (mut differing, mut common) = (Vec::new(), Vec::new());
    for key in keys {
        if NOT_COMPARED.contains(&key.as_str()) {
            continue;
        }
        let found: Vec<Option<&Value>> =
            all.iter().map(|leaves| leaves.get(key).copied()).collect();
        match found.as_slice() {
            [Some(first), rest @ ..] if rest.iter().all(|other| *other == Some(*first)) => {
                common.push((key.clone(), vec![value(first)]));
            }
            _ => {
                let cell = |found: &Option<&Value>| found.map_or_else(|| html! { "–" }, value);
                differing.push((key.clone(), found.iter().map(cell).collect()));
            }
        }
    }
    html! {
        @if differing.is_empty() { p { "All runs have the same settings." } }
        @else { (table("Settings that differ", TEXTS, names, &differing)) }
        details {
            summary { (common.len()) " settings that all runs share" }
            (table("Shared settings", TEXTS, &["all".to_owned()], &common))
        }
    }
}

fn inputs(runs: &[RunReport], names: &[String]) -> Markup {
    // Files of one name are of one kind, wherever they are; the first and second of a name are told apart.
    let keyed: Vec<BTreeMap<(String, usize), &str>> = runs
        .iter()
        .map(|run| {
            let mut seen = BTreeMap::new();
            let inputs = run.record.inputs.iter();
            inputs
                .map(|input| {
                    let name = input
                        .path
                        .rsplit(['/', '\\'])
                        .next()
                        .unwrap_or(&input.path)
                        .to_owned();
                    let count: &mut usize = seen.entry(name.clone()).or_default();
                    *count += 1;
                    ((name, *count), input.sha256.as_str())
                })
                .collect()
        })
        .collect();
    let keys: BTreeSet<&(String, usize)> = keyed.iter().flat_map(BTreeMap::keys).collect();
    let mut rows = Vec::new();
    for key in &keys {
        let found: Vec<Option<&str>> = keyed.iter().map(|files| files.get(*key).copied()).collect();
        if found.iter().any(|digest| *digest != found[0]) {
            let cell = |digest: &Option<&str>| match digest {
                Some(digest) => {
                    html! { code { (text(&digest.chars().take(12).collect::<String>())) } }
                }
                None => html! { "–" },
            };
            rows.push((key.0.clone(), found.iter().map(cell).collect()));
        }
    }
    html! {
        @if rows.is_empty() { p { "All " (keys.len()) " inputs hold the same." } }
        @else { (table("The first digits of their SHA-256", TEXTS, names, &rows)) }
    }
}

fn loss(runs: &[RunReport], names: &[String]) -> Plot {
    let losses: Vec<_> = runs
        .iter()
        .map(|run| run.metrics.steps.get("loss"))
        .collect();
    let curves = losses
        .iter()
        .zip(names)
        .enumerate()
        .filter_map(|(group, (series, name))| {
            Some(Curve {
                name: name.clone(),
                group,
                faint: false,
                points: thinned(&smoothed(&(*series)?.points).0),
            })
        });
    Plot {
        title: "Training loss, smoothed",
        x: "step",
        y: "loss",
        curves: curves.collect(),
        scatter: false,
        note: not_finite(losses.iter().copied().flatten()),
    }
}

fn evaluation(runs: &[RunReport], names: &[String]) -> Plot {
    let scores: Vec<_> = runs
        .iter()
        .map(|run| run.metrics.evaluations.get("score"))
        .collect();
    let curves = scores
        .iter()
        .zip(names)
        .enumerate()
        .filter_map(|(group, (series, name))| Some(curve(name, group, (*series)?, 1.0)));
    Plot {
        title: "Score on evaluation",
        x: "step",
        y: "score (%)",
        curves: curves.collect(),
        scatter: false,
        note: not_finite(scores.iter().copied().flatten()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comparison_takes_no_place_that_the_user_has_not_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        assert_eq!(unless_taken(path.clone()).unwrap(), path);
        std::fs::write(&path, "a user's").unwrap();
        assert_eq!(
            unless_taken(path.clone()).unwrap_err().to_string(),
            format!(
                "{}: found a file of this name, expected none: name the file that the comparison is to replace",
                path.display()
            )
        );
        assert_eq!(comparison_path(Some(&path)).unwrap(), path);
        assert_eq!(comparison_path(None).unwrap(), Path::new(FILE_NAME));
    }
}
