//! Texts and numbers as a page shows them.

use maud::{Markup, Render, html};
use serde_json::Value;

/// A text of a text's author: escaped for markup and attributes, with U+FFFD in place of control characters, which
/// pages cannot hold, and line feeds for carriage returns, which parsers do not keep.
pub(super) struct Clean<'a>(pub(super) &'a str);

impl Render for Clean<'_> {
    fn render_to(&self, out: &mut String) {
        let mut characters = self.0.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '&' => out.push_str("&amp;"),
                '"' => out.push_str("&quot;"),
                '\'' => out.push_str("&#39;"),
                '\r' if characters.peek() == Some(&'\n') => {}
                '\r' => out.push('\n'),
                '\t' | '\n' => out.push(character),
                _ if character.is_control() => out.push(char::REPLACEMENT_CHARACTER),
                _ => out.push(character),
            }
        }
    }
}

/// A text in a line of ours, kept from changing the direction of what surrounds it.
pub(super) fn text(text: &str) -> Markup {
    html! { bdi { (Clean(text)) } }
}

/// A longer text, with what is beyond `most` characters left out and counted.
pub(super) fn shortened(whole: &str, most: usize) -> Markup {
    match whole.char_indices().nth(most) {
        None => text(whole),
        Some((end, _)) => {
            let rest = whole[end..].chars().count();
            html! { (text(&whole[..end])) "… " span.note { "(" (grouped(rest as u64)) " more characters)" } }
        }
    }
}

/// A value of a JSON file.
pub(super) fn value(value: &Value) -> Markup {
    match value {
        Value::String(string) if string.is_empty() => html! { span.note { "empty" } },
        Value::String(string) => text(string),
        Value::Null => html! { span.note { "none" } },
        other => text(&other.to_string()),
    }
}

/// A whole number with its digits in threes.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number in few digits, such as `5e-5`, `0.125` or `12,800`.
pub(super) fn short(number: f64) -> String {
    if !number.is_finite() {
        return "undefined".to_owned();
    }
    let size = number.abs();
    if size < f64::MIN_POSITIVE {
        return "0".to_owned();
    }
    if (1e-3..1e6).contains(&size) {
        let decimals = match size {
            1e4.. => 0,
            1e3.. => 1,
            1e2.. => 2,
            1e1.. => 3,
            1.0.. => 4,
            _ => 5,
        };
        let fixed = without_zeros(&format!("{number:.decimals$}"));
        let (sign, digits) = match fixed.strip_prefix('-') {
            Some(digits) => ("−", digits),
            None => ("", fixed.as_str()),
        };
        let (whole, rest) = digits.split_once('.').unwrap_or((digits, ""));
        let whole = whole.parse().map_or_else(|_| whole.to_owned(), grouped);
        let point = if rest.is_empty() { "" } else { "." };
        return format!("{sign}{whole}{point}{rest}");
    }
    let scientific = format!("{number:.3e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    format!("{}e{exponent}", without_zeros(mantissa)).replace('-', "−")
}

fn without_zeros(digits: &str) -> String {
    if !digits.contains('.') {
        return digits.to_owned();
    }
    digits
        .trim_end_matches('0')
        .trim_end_matches('.')
        .to_owned()
}

/// A score in percent.
pub(super) fn percent(score: Option<f64>) -> String {
    match score {
        Some(score) if score.is_finite() => format!("{score:.2}"),
        _ => "undefined".to_owned(),
    }
}

/// A probability, 0 to 1, in percent.
pub(super) fn probability(probability: f64) -> String {
    if probability.is_finite() {
        format!("{:.1} %", 100.0 * probability)
    } else {
        "undefined".to_owned()
    }
}

/// Bytes in the largest fitting unit.
pub(super) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut size = bytes as f64 / 1024.0;
    let mut unit = UNITS[0];
    for next in &UNITS[1..] {
        if size < 1000.0 {
            break;
        }
        size /= 1024.0;
        unit = next;
    }
    format!("{size:.1} {unit}")
}

/// Seconds in up to two units.
pub(super) fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || !(0.0..1e15).contains(&seconds) {
        return "undefined".to_owned();
    }
    if seconds < 60.0 {
        return format!("{} s", without_zeros(&format!("{seconds:.1}")));
    }
    let whole = seconds.round() as u64;
    match whole {
        0..3600 => format!("{} min {} s", whole / 60, whole % 60),
        3600..86_400 => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
        _ => format!("{} d {} h", whole / 86_400, whole % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_cannot_be_markup() {
        let cases = [
            ("<b a='1'>&\"", "&lt;b a=&#39;1&#39;&gt;&amp;&quot;"),
            (
                "a\u{0}b\u{7f}\u{85}\u{1b}",
                "a\u{fffd}b\u{fffd}\u{fffd}\u{fffd}",
            ),
            ("a\r\nb\rc\td", "a\nb\nc\td"),
        ];
        for (given, expected) in cases {
            assert_eq!(Clean(given).render().into_string(), expected);
        }
    }

    #[test]
    fn numbers_are_short() {
        let cases = [
            (0.0, "0"),
            (5e-5, "5e−5"),
            (3.846e-5, "3.846e−5"),
            (0.125, "0.125"),
            (-0.5, "−0.5"),
            (12_800.4, "12,800"),
            (999_999.0, "999,999"),
            (1e6, "1e6"),
            (2.0, "2"),
            (f64::NAN, "undefined"),
            (f64::MAX, "1.798e308"),
            (5e-324, "0"),
        ];
        for (number, expected) in cases {
            assert_eq!(short(number), expected);
        }
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped(u64::MAX), "18,446,744,073,709,551,615");
    }

    #[test]
    fn sizes_and_times_have_units() {
        for (given, expected) in [
            (0, "0 B"),
            (1024, "1.0 KiB"),
            (90_868_376, "86.7 MiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(bytes(given), expected);
        }
        for (given, expected) in [
            (0.0, "0 s"),
            (15.27, "15.3 s"),
            (61.0, "1 min 1 s"),
            (7260.0, "2 h 1 min"),
            (180_000.0, "2 d 2 h"),
            (-1.0, "undefined"),
            (f64::NAN, "undefined"),
        ] {
            assert_eq!(duration(given), expected);
        }
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let html = shortened("é😀b", 2).into_string();
        assert_eq!(
            html,
            "<bdi>é😀</bdi>… <span class=\"note\">(1 more characters)</span>"
        );
        assert_eq!(shortened("é😀b", 3).into_string(), "<bdi>é😀b</bdi>");
    }
}
