//! The page around a report.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::text::Clean;

/// Nothing is loaded and nothing is run, whatever a text of the data may hold.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
const STYLE: &str = include_str!("style.css");

/// A whole page.
pub(super) fn page(title: &str, header: Markup, main: Markup, program: &str) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (Clean(title)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header.top { (header) }
                main { (main) }
                footer { "Made by bert" @if !program.is_empty() { " " (Clean(program)) } ". This page loads nothing and runs no scripts." }
            }
        }
    };
    page.into_string()
}

/// A bar as long as a share, 0 to 1.
pub(super) fn bar(share: f64) -> Markup {
    let percent = if share.is_finite() {
        100.0 * share.clamp(0.0, 1.0)
    } else {
        0.0
    };
    html! { span.bar aria-hidden="true" { i style={"width:" (format!("{percent:.1}")) "%"} {} } }
}
