//! What an error message repeats of a file: short, and on one line.

use std::{borrow::Cow, error::Error, fmt};

/// The longest value that a message repeats, in characters.
const MOST_OF_VALUE: usize = 60;
/// The longest name or digest that a message repeats, in characters: a SHA-256 has 64.
const MOST_OF_NAME: usize = 100;
/// The longest message of a parser that is repeated, in characters: it may quote a whole passage.
const MOST_OF_MESSAGE: usize = 200;

/// A value of a file in quotes, cut after 60 characters.
///
/// ```
/// assert_eq!(bert_files::quoted("1.1"), r#""1.1""#);
/// assert_eq!(bert_files::quoted(&"é".repeat(61)), format!("\"{}\"…", "é".repeat(60)));
/// ```
#[must_use]
pub fn quoted(value: &str) -> String {
    match value.char_indices().nth(MOST_OF_VALUE) {
        None => format!("{value:?}"),
        Some((end, _)) => format!("{:?}…", &value[..end]),
    }
}

/// A text of a file without quotes, such as a digest or a tensor's name, cut after 100 characters and on one line.
///
/// ```
/// assert_eq!(bert_files::cut("bert.pooler\n"), "bert.pooler ");
/// ```
#[must_use]
pub fn cut(value: &str) -> Cow<'_, str> {
    one_line(value, MOST_OF_NAME)
}

/// The first `most` characters of a text, with an ellipsis where there are more and without control characters.
fn one_line(text: &str, most: usize) -> Cow<'_, str> {
    let end = text.char_indices().nth(most).map(|(end, _)| end);
    if end.is_none() && !text.contains(char::is_control) {
        return text.into();
    }
    let shown = text[..end.unwrap_or(text.len())].chars();
    let mut line: String = shown
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if end.is_some() {
        line.push('…');
    }
    line.into()
}

/// What a JSON parser says, cut to a readable length: its own message quotes a wrong value whole.
///
/// What it expected, which its message ends with, and the line and column stay.
#[derive(Debug)]
pub struct JsonFault(serde_json::Error);

impl JsonFault {
    /// What the parser says, without the line and column.
    #[must_use]
    pub fn message(&self) -> String {
        let message = self.0.to_string();
        let message = message.strip_suffix(&self.place()).unwrap_or(&message);
        let line = one_line(message, MOST_OF_MESSAGE);
        let Some((end, _)) = message.char_indices().nth(MOST_OF_MESSAGE) else {
            return line.into_owned();
        };
        let expected = message[end..].rfind(", expected ");
        let expected = expected.map_or("", |at| &message[end + at..]);
        format!("{line}{}", one_line(expected, MOST_OF_MESSAGE))
    }

    /// The parser's error.
    #[must_use]
    pub fn inner(&self) -> &serde_json::Error {
        &self.0
    }

    fn place(&self) -> String {
        format!(" at line {} column {}", self.0.line(), self.0.column())
    }
}

impl From<serde_json::Error> for JsonFault {
    fn from(error: serde_json::Error) -> Self {
        Self(error)
    }
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())?;
        // A value that was parsed before has no place in a file.
        if self.0.line() > 0 {
            f.write_str(&self.place())?;
        }
        Ok(())
    }
}

impl Error for JsonFault {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fault(json: &str) -> JsonFault {
        serde_json::from_str::<u64>(json)
            .expect_err("it is no number")
            .into()
    }

    #[test]
    fn a_parsers_message_keeps_its_ends() {
        assert_eq!(
            fault("\n\"a\\nb\"").to_string(),
            "invalid type: string \"a\\nb\", expected u64 at line 2 column 6"
        );
        assert_eq!(
            fault(&format!("\"{}\"", "x".repeat(1 << 20))).to_string(),
            format!(
                "invalid type: string \"{}…, expected u64 at line 1 column 1048578",
                "x".repeat(200 - "invalid type: string \"".len())
            )
        );
        let error = serde_json::from_value::<u64>("a".into()).expect_err("no number");
        assert_eq!(
            JsonFault::from(error).to_string(),
            "invalid type: string \"a\", expected u64"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_one_short_line(text in any::<String>(), repeats in 1_usize..40) {
            let text = text.repeat(repeats);
            for line in [quoted(&text), cut(&text).into_owned()] {
                prop_assert!(!line.contains(char::is_control), "{line:?}");
                // Escapes make a character up to ten.
                prop_assert!(line.chars().count() <= 10 * MOST_OF_VALUE + 3);
            }
            let json = serde_json::Value::from(text).to_string();
            let line = fault(&json).to_string();
            prop_assert!(line.chars().count() <= 2 * MOST_OF_MESSAGE + 60, "{line}");
            prop_assert_eq!(line.lines().count(), 1);
        }
    }
}
