//! The multiple choice part.

use maud::{Markup, html};

use super::{
    page::bar,
    text::{grouped, probability, shortened, text},
};
use crate::{ChosenEnding, SwagReport};

/// Sentences and endings are shown up to this many characters.
const MOST: usize = 2000;

pub(super) fn swag(report: &SwagReport) -> Markup {
    html! {
        h2 { "The most confident mistakes" }
        p.note {
            (grouped(report.count)) " questions."
            @if !report.examples.is_empty() {
                " Shown are the " (report.examples.len()) " wrong choices with the highest probability."
            }
        }
        @if report.examples.is_empty() { p { "No choice is wrong." } }
        @for found in &report.examples { (example(found)) }
    }
}

fn example(example: &ChosenEnding) -> Markup {
    html! {
        article.example {
            p.head { span.mono { (text(&example.id)) } }
            h4 dir="auto" { (shortened(&example.context, MOST)) " " (shortened(&example.start, MOST)) " …" }
            ul.endings {
                @for (index, ending) in example.endings.iter().enumerate() {
                    @let share = example.probabilities.get(index).copied().unwrap_or(f64::NAN);
                    @let (is_gold, is_chosen) = (index == example.gold, index == example.chosen);
                    li.right[is_gold].chosen[is_chosen] {
                        span {
                            @if is_gold { span.tag.right { "✓ right" } }
                            @if is_chosen && !is_gold { span.tag.wrong { "✗ chosen" } }
                        }
                        span.num { (probability(share)) }
                        (bar(share))
                        span dir="auto" { (shortened(ending, MOST)) }
                    }
                }
            }
        }
    }
}
