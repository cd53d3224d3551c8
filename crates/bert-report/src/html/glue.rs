//! The classification and regression part.

use maud::{Markup, html};

use super::{
    plot::{Curve, Plot},
    text::{grouped, percent, probability, short, shortened, text},
};
use crate::{ClassScores, ClassifiedText, GlueReport, GlueScores, GlueSet, RegressionExample};

/// Sentences are shown up to this many characters.
const MOST: usize = 2000;

pub(super) fn glue(report: &GlueReport) -> Markup {
    html! { @for set in &report.sets { (set_part(set)) } }
}

fn set_part(set: &GlueSet) -> Markup {
    match &set.scores {
        GlueScores::Classification {
            labels,
            worst,
            confusion,
            others,
            classes,
            examples,
        } => html! {
            @let shown = shown(labels, worst.as_deref());
            h2 { "Labels of " (text(&set.name)) }
            p.note {
                (grouped(set.count)) " examples."
                @if worst.is_some() {
                    " Of " (grouped(labels.len() as u64)) " labels, the " (shown.len()) " with the most mistakes are shown, "
                    "the most first. A row’s “others” are examples whose predicted label is not shown."
                }
            }
            (matrix(&shown, confusion, others))
            (class_table(&shown, confusion, others, classes))
            h2 { "The most confident mistakes in " (text(&set.name)) }
            @if examples.is_empty() { p { "No label is wrong." } }
            @for found in examples { (mistake(found, labels)) }
        },
        GlueScores::Regression {
            points,
            mean_error,
            examples,
        } => html! {
            h2 { "Scores of " (text(&set.name)) }
            p.note {
                (grouped(set.count)) " examples"
                @if let Some(mean) = mean_error { ", mean absolute error " (short(*mean)) }
                "."
            }
            div.plots { (scatter(points, set.count)) }
            h2 { "The largest errors in " (text(&set.name)) }
            @if examples.is_empty() { p { "There are no examples." } }
            @for found in examples { (error(found)) }
        },
    }
}

/// The labels that rows and columns are of.
fn shown<'a>(labels: &'a [String], worst: Option<&[usize]>) -> Vec<&'a str> {
    let name = |index: &usize| labels.get(*index).map_or("", String::as_str);
    match worst {
        Some(worst) => worst.iter().map(name).collect(),
        None => labels.iter().map(String::as_str).collect(),
    }
}

fn matrix(labels: &[&str], confusion: &[Vec<u64>], others: &[u64]) -> Markup {
    html! {
        p.note { "Right labels in rows, predicted ones in columns: counts, and percent of the row." }
        div.scroll { table.matrix {
            thead { tr { td {} @for label in labels { th.num scope="col" { (text(label)) } }
                @if !others.is_empty() { th.num scope="col" { "others" } } } }
            tbody { @for (row, (label, counts)) in labels.iter().zip(confusion).enumerate() {
                @let other = others.get(row);
                @let sum: f64 = counts.iter().chain(other).map(|count| *count as f64).sum();
                tr {
                    th scope="row" { (text(label)) }
                    @for (column, count) in counts.iter().chain(other).enumerate() {
                        @let share = if sum > 0.0 { *count as f64 / sum } else { 0.0 };
                        td.diagonal[row == column] style={"--share:" (format!("{share:.3}"))} {
                            (grouped(*count)) small { (format!("{:.1}", 100.0 * share)) " %" }
                        }
                    }
                }
            } }
        } }
    }
}

fn class_table(
    labels: &[&str],
    confusion: &[Vec<u64>],
    others: &[u64],
    classes: &[ClassScores],
) -> Markup {
    html! {
        div.scroll { table {
            caption { "Each label against all others, in percent" }
            thead { tr {
                th scope="col" { "label" } th.num scope="col" { "examples" } th.num scope="col" { "precision" }
                th.num scope="col" { "recall" } th.num scope="col" { "F1" }
            } }
            tbody { @for (row, ((label, counts), class)) in labels.iter().zip(confusion).zip(classes).enumerate() { tr {
                @let counts = counts.iter().chain(others.get(row));
                th scope="row" { (text(label)) }
                td.num { (grouped(counts.fold(0, |sum, count| sum.saturating_add(*count)))) }
                @for score in [class.precision, class.recall, class.f1] { td.num { (percent(Some(score))) } }
            } } }
        } }
    }
}

fn sentences(text_a: &str, text_b: Option<&str>) -> Markup {
    html! {
        h4 dir="auto" { (shortened(text_a, MOST)) }
        @if let Some(text_b) = text_b { h4 dir="auto" { (shortened(text_b, MOST)) } }
    }
}

fn mistake(example: &ClassifiedText, labels: &[String]) -> Markup {
    let name = |index: usize| match labels.get(index) {
        Some(label) => text(label),
        None => html! { (index) },
    };
    html! {
        article.example {
            p.head { span.mono { (text(&example.id)) } }
            (sentences(&example.text_a, example.text_b.as_deref()))
            dl.answers {
                dt { "right" } dd { span.tag.right { (name(example.gold)) } }
                dt { "predicted" } dd { span.tag.wrong { (name(example.predicted)) } }
                dt { "probabilities" }
                dd {
                    @let shares = example.probabilities.entries();
                    @for (place, (label, share)) in shares.iter().enumerate() {
                        @if place > 0 { ", " }
                        (name(*label)) " " (probability(*share))
                    }
                    @if shares.len() < labels.len() {
                        " " span.note { "(and " (grouped((labels.len() - shares.len()) as u64)) " others)" }
                    }
                }
            }
        }
    }
}

fn error(example: &RegressionExample) -> Markup {
    html! {
        article.example {
            p.head { span.mono { (text(&example.id)) } }
            (sentences(&example.text_a, example.text_b.as_deref()))
            dl.answers {
                dt { "right" } dd { (short(example.gold)) }
                dt { "predicted" } dd { (short(example.predicted)) }
            }
        }
    }
}

fn scatter(points: &[(f64, f64)], count: u64) -> Markup {
    let few = (points.len() as u64) < count;
    let plot = Plot {
        title: "Right and predicted scores",
        x: "right score",
        y: "predicted score",
        curves: vec![Curve {
            name: "examples".to_owned(),
            group: 0,
            faint: false,
            points: points.to_vec(),
        }],
        scatter: true,
        note: few.then(|| {
            format!(
                "{} of the examples, evenly spread.",
                grouped(points.len() as u64)
            )
        }),
    };
    plot.render()
}
