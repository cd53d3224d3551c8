//! The curves of a run.

use bert_records::{MetricsHistory, Series};
use maud::{Markup, html};

use super::{
    plot::{Curve, MOST_CURVES, Plot},
    text::grouped,
    thinning::{smoothed, thinned},
};

/// Every plot of a run that has something to show.
pub(super) fn curves(metrics: &MetricsHistory) -> Markup {
    html! {
        @if metrics.lines == 0 { p.note { "The run has logged no steps." } }
        @if metrics.incomplete { p.note { "The last line of metrics.jsonl is incomplete and is left out." } }
        @if let Some(lines) = &metrics.unreadable { p.warning { "metrics.jsonl: " (lines.to_string()) "." } }
        div.plots {
            (loss(metrics).render())
            (scores(metrics).render())
            (single(metrics, "learning_rate", "Learning rate", "learning rate",).render())
            (single(metrics, "gradient_norm", "Gradient norm", "L2 norm",).render())
            (single(metrics, "tokens_per_second", "Speed", "tokens per second",).render())
            (memory(metrics).render())
        }
    }
}

fn loss(metrics: &MetricsHistory) -> Plot {
    let mut plot = Plot {
        title: "Loss",
        x: "step",
        y: "loss",
        curves: Vec::new(),
        scatter: false,
        note: None,
    };
    if let Some(series) = metrics.steps.get("loss") {
        plot.curves = with_mean("training", series);
        plot.note = not_finite([series]);
    }
    if let Some(series) = metrics.evaluations.get("eval_loss") {
        plot.curves.push(curve("evaluation", 1, series, 1.0));
    }
    plot
}

fn scores(metrics: &MetricsHistory) -> Plot {
    let shown: Vec<(&String, &Series)> = metrics
        .evaluations
        .iter()
        .filter(|(key, series)| is_score(key) && !is_another(metrics, key, series))
        .take(MOST_CURVES)
        .collect();
    Plot {
        title: "Evaluation",
        x: "step",
        y: "score (%)",
        note: not_finite(shown.iter().map(|(_, series)| *series)),
        curves: shown
            .iter()
            .enumerate()
            .map(|(group, (key, series))| {
                let name = key.strip_prefix("eval_").unwrap_or(key);
                curve(name, group, series, percent_factor(key))
            })
            .collect(),
        scatter: false,
    }
}

/// Results that start with `eval_` are shares, as in the scripts of 2018; those of SQuAD's script are percentages.
pub(super) fn percent_factor(key: &str) -> f64 {
    if key.starts_with("eval_") { 100.0 } else { 1.0 }
}

/// Whether more of it is better.
pub(super) fn is_score(key: &str) -> bool {
    let known = [
        "score", "f1", "exact", "acc", "mcc", "matthews", "pearson", "spearman", "corr",
    ];
    known.iter().any(|name| key.to_lowercase().contains(name))
}

/// The score that models are chosen by may be one of the others.
fn is_another(metrics: &MetricsHistory, key: &str, series: &Series) -> bool {
    let mut others = metrics
        .evaluations
        .iter()
        .filter(|(other, _)| *other != key && is_score(other));
    key == "score"
        && others.any(|(other, points)| {
            curve(other, 0, points, percent_factor(other)).points == thinned(&series.points)
        })
}

/// Below this many lines a curve is clear enough as it is.
const NOISY: usize = 200;

fn single(metrics: &MetricsHistory, key: &str, title: &'static str, unit: &'static str) -> Plot {
    let series = metrics.steps.get(key);
    let name = title.to_lowercase();
    Plot {
        title,
        x: "step",
        y: unit,
        curves: match series {
            None => Vec::new(),
            Some(series) if series.points.len() < NOISY || key == "learning_rate" => {
                vec![curve(&name, 0, series, 1.0)]
            }
            Some(series) => with_mean(&name, series),
        },
        scatter: false,
        note: not_finite(series),
    }
}

/// A curve lightly, and its mean.
fn with_mean(name: &str, series: &Series) -> Vec<Curve> {
    let (smooth, over) = smoothed(&series.points);
    let mean = Curve {
        name: format!("{name}, mean over about {over} lines"),
        group: 0,
        faint: false,
        points: thinned(&smooth),
    };
    let each = Curve {
        faint: true,
        ..curve(name, 0, series, 1.0)
    };
    vec![each, mean]
}

fn memory(metrics: &MetricsHistory) -> Plot {
    let keys = [("memory_bytes", "host"), ("device_memory_bytes", "device")];
    let found = || {
        keys.iter()
            .filter_map(|(key, name)| Some((*name, metrics.steps.get(*key)?)))
    };
    Plot {
        title: "Memory",
        x: "step",
        y: "GiB",
        curves: found()
            .enumerate()
            .map(|(group, (name, series))| curve(name, group, series, 1.0 / (1_u64 << 30) as f64))
            .collect(),
        scatter: false,
        note: not_finite(found().map(|(_, series)| series)),
    }
}

/// A series as a curve in few points.
pub(super) fn curve(name: &str, group: usize, series: &Series, factor: f64) -> Curve {
    let points = thinned(&series.points);
    Curve {
        name: name.to_owned(),
        group,
        faint: false,
        points: points
            .into_iter()
            .map(|(step, value)| (step, factor * value))
            .collect(),
    }
}

/// How many values a plot cannot show.
pub(super) fn not_finite<'a>(series: impl IntoIterator<Item = &'a Series>) -> Option<String> {
    let count: usize = series.into_iter().map(Series::not_finite).sum();
    match count {
        0 => None,
        1 => Some("One value is not finite and left out.".to_owned()),
        _ => Some(format!(
            "{} values are not finite and left out.",
            grouped(count as u64)
        )),
    }
}
