//! The question answering part.

use maud::{Markup, html};

use super::{
    page::bar,
    passage::Passage,
    text::{grouped, probability, shortened, text},
};
use crate::{AnsweredQuestion, ScoreRow, SquadReport};

/// Answers and questions are shown up to this many characters.
const MOST: usize = 2000;

pub(super) fn squad(report: &SquadReport) -> Markup {
    let groups = [
        ("By question word", "question", &report.by_question_word),
        (
            "By length of the right answer",
            "words",
            &report.by_answer_length,
        ),
        ("By windows", "windows", &report.by_windows),
    ];
    html! {
        h2 { "Where the answers are right" }
        p.note { (grouped(report.all.count)) " questions." }
        div.breakdowns { @for (title, unit, rows) in groups { (breakdown(title, unit, rows)) } }
        h2 { "The worst answers" }
        @if report.examples.is_empty() {
            p { "Every answer has a full F1." }
        } @else {
            p.note {
                "The " (report.examples.len()) " with the lowest F1, the most confident first. Marked are the "
                mark.gold { "right answers" } " (solid line), the " mark.predicted { "predicted answer" }
                " (wavy line) and " mark.gold.predicted { "what they share" } "."
            }
            @for found in &report.examples { (example(found)) }
        }
    }
}

fn score(score: f64) -> String {
    if score.is_finite() {
        format!("{score:.1}")
    } else {
        "undefined".to_owned()
    }
}

fn breakdown(title: &str, unit: &str, rows: &[ScoreRow]) -> Markup {
    html! {
        table {
            caption { (title) }
            thead { tr {
                th scope="col" { (unit) } th.num scope="col" { "count" } th.num scope="col" { "EM %" }
                th.num scope="col" { "F1 %" } td {}
            } }
            tbody { @for row in rows { tr {
                th scope="row" { (text(&row.name)) }
                td.num { (grouped(row.count)) } td.num { (score(row.exact_match)) } td.num { (score(row.f1)) }
                td { (bar(row.f1 / 100.0)) }
            } } }
        }
    }
}

fn example(example: &AnsweredQuestion) -> Markup {
    let gold = example.gold.iter().map(|gold| {
        let length = gold.text.chars().count();
        (gold.start, gold.start.saturating_add(length))
    });
    let mut answers: Vec<&str> = Vec::new();
    for gold in &example.gold {
        if !answers.contains(&gold.text.as_str()) {
            answers.push(&gold.text);
        }
    }
    html! {
        article.example {
            p.head {
                span { "F1 " (score(100.0 * example.f1)) " %" }
                span { "probability " (probability(example.probability)) }
                @if example.windows != 1 { span { (example.windows) " windows" } }
                @if let Some(title) = &example.title { span { (text(title)) } }
                span.mono { (text(&example.id)) }
            }
            h4 dir="auto" { (shortened(&example.question, MOST)) }
            dl.answers {
                dt { "right" }
                dd {
                    @if answers.is_empty() { span.note { "no answer in the passage" } }
                    @for (index, answer) in answers.iter().enumerate() {
                        @if index > 0 { span.note { " or " } }
                        (shortened(answer, MOST))
                    }
                }
                dt { "predicted" }
                dd {
                    @if example.prediction.is_empty() { span.note { "no answer" } }
                    @else { (shortened(&example.prediction, MOST)) }
                }
            }
            (Passage::new(&example.context, gold, example.predicted_span).render())
        }
    }
}
