//! JSON in the layout of Python's `json.dumps(value, indent=4)`, byte for byte.
//!
//! The 2018 scripts wrote their predictions so, and files that compare equal to theirs are worth more than a layout of
//! our own. `serde_json` already escapes control characters alike; indentation, numbers and non-ASCII text differ.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, Serializer};

/// A value as Python's `json.dumps(value, indent=4)` writes it, without a line end.
///
/// Maps keep their order. A number that is not finite becomes `null`, since JSON has no word for it.
///
/// # Errors
///
/// Fails on a value without a JSON form, such as a map whose keys are not strings.
pub fn to_python_json<T: Serialize + ?Sized>(value: &T) -> Result<String, serde_json::Error> {
    let mut bytes = Vec::new();
    value.serialize(&mut Serializer::with_formatter(
        &mut bytes,
        PythonFormatter::default(),
    ))?;
    Ok(String::from_utf8(bytes).expect("the formatter writes ASCII"))
}

/// A finite number as Python's `repr` writes it: the shortest digits that read back as the same double, with an
/// exponent below 1e-4 and from 1e16 on.
pub fn python_float(value: f64) -> String {
    if !value.is_finite() {
        return match value {
            f64::INFINITY => "inf".to_owned(),
            f64::NEG_INFINITY => "-inf".to_owned(),
            _ => "nan".to_owned(),
        };
    }
    // Rust's digits are as many as Python's, but where two shortest forms are equally near Rust takes the upper one and
    // Python the even one, which rounding to that many digits gives.
    let shortest = format!("{value:e}");
    let (mantissa, _) = split_exponent(&shortest);
    let decimals = mantissa
        .find('.')
        .map_or(0, |point| mantissa.len() - point - 1);
    let rounded = format!("{value:.decimals$e}");
    let (mantissa, exponent) = split_exponent(&rounded);
    match usize::try_from(exponent) {
        Ok(exponent) if exponent < 16 => {
            format!("{value:.*}", decimals.saturating_sub(exponent).max(1))
        }
        Err(_) if exponent >= -4 => {
            format!("{value:.*}", decimals + exponent.unsigned_abs() as usize)
        }
        _ => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
        }
    }
}

/// Takes what `{:e}` writes apart.
fn split_exponent(scientific: &str) -> (&str, i32) {
    let (mantissa, exponent) = scientific
        .split_once('e')
        .expect("`{:e}` writes an exponent");
    let exponent = exponent.parse().expect("`{:e}` writes a decimal exponent");
    (mantissa, exponent)
}

/// Four spaces a level, one item a line, ASCII only.
#[derive(Default)]
struct PythonFormatter {
    level: usize,
    /// Whether the array or object being written has an item yet: Python writes an empty one as `[]` or `{}`.
    has_items: bool,
}

impl PythonFormatter {
    fn open<W: ?Sized + Write>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.level += 1;
        self.has_items = false;
        writer.write_all(bracket)
    }

    fn close<W: ?Sized + Write>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.level -= 1;
        if self.has_items {
            self.new_line(writer)?;
        }
        writer.write_all(bracket)
    }

    fn item<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if !first {
            writer.write_all(b",")?;
        }
        self.new_line(writer)
    }

    fn new_line<W: ?Sized + Write>(&self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b"\n")?;
        for _ in 0..self.level {
            writer.write_all(b"    ")?;
        }
        Ok(())
    }
}

impl Formatter for PythonFormatter {
    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(python_float(value).as_bytes())
    }

    // Python has doubles only: a single is widened before it is written.
    fn write_f32<W: ?Sized + Write>(&mut self, writer: &mut W, value: f32) -> io::Result<()> {
        self.write_f64(writer, f64::from(value))
    }

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(|c: char| !c.is_ascii() || c == '\u{7f}') {
            let (plain, tail) = rest.split_at(at);
            writer.write_all(plain.as_bytes())?;
            let mut chars = tail.chars();
            for escaped in chars.by_ref().take(1) {
                for unit in escaped.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
            rest = chars.as_str();
        }
        writer.write_all(rest.as_bytes())
    }

    fn write_char_escape<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        match escape {
            CharEscape::Quote => writer.write_all(b"\\\""),
            CharEscape::ReverseSolidus => writer.write_all(b"\\\\"),
            CharEscape::Solidus => writer.write_all(b"/"),
            CharEscape::Backspace => writer.write_all(b"\\b"),
            CharEscape::FormFeed => writer.write_all(b"\\f"),
            CharEscape::LineFeed => writer.write_all(b"\\n"),
            CharEscape::CarriageReturn => writer.write_all(b"\\r"),
            CharEscape::Tab => writer.write_all(b"\\t"),
            CharEscape::AsciiControl(byte) => write!(writer, "\\u{byte:04x}"),
        }
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.item(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.has_items = true;
        Ok(())
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.item(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.has_items = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_python_reprs() {
        // Expected values: CPython 3.11.
        let cases = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (100.0, "100.0"),
            (0.1, "0.1"),
            (1.0 / 3.0, "0.3333333333333333"),
            (0.0001, "0.0001"),
            (0.00012345, "0.00012345"),
            (0.00001, "1e-05"),
            (1.2345e-7, "1.2345e-07"),
            (-2.5e-10, "-2.5e-10"),
            (5e-324, "5e-324"),
            (1e15, "1000000000000000.0"),
            (1234567890123456.0, "1234567890123456.0"),
            (1e16, "1e+16"),
            (1.5e22, "1.5e+22"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::from(0.1_f32), "0.10000000149011612"),
            // As near to …563: the even digit counts.
            (-1.168_861_389_160_156_3, "-1.1688613891601562"),
            (2.931_190_490_722_656_3, "2.9311904907226562"),
        ];
        for (value, expected) in cases {
            assert_eq!(python_float(value), expected);
        }
    }

    #[test]
    fn layout_is_json_dumps_indent_4() {
        let value = json!({"a": [], "b": {}, "c": [1, [2.5, null]], "d": {"e": true, "f": {}}});
        let expected = r#"{
    "a": [],
    "b": {},
    "c": [
        1,
        [
            2.5,
            null
        ]
    ],
    "d": {
        "e": true,
        "f": {}
    }
}"#;
        assert_eq!(to_python_json(&value).expect("it serialises"), expected);
        assert_eq!(to_python_json(&json!([])).expect("it serialises"), "[]");
    }

    #[test]
    fn text_is_ascii() {
        let cases = [
            ("é", r#""\u00e9""#),
            ("東京", r#""\u6771\u4eac""#),
            ("x😀y", r#""x\ud83d\ude00y""#),
            ("\u{7f}\u{80}", r#""\u007f\u0080""#),
            (
                "\u{0}\u{8}\t\n\u{b}\u{c}\r\u{1f}",
                r#""\u0000\b\t\n\u000b\f\r\u001f""#,
            ),
            ("a\"b\\c/d", r#""a\"b\\c/d""#),
        ];
        for (text, expected) in cases {
            assert_eq!(to_python_json(text).expect("it serialises"), expected);
        }
        let keyed = to_python_json(&json!({"é\n": 1})).expect("it serialises");
        assert_eq!(keyed, "{\n    \"\\u00e9\\n\": 1\n}");
    }

    #[test]
    fn singles_are_widened() {
        assert_eq!(
            to_python_json(&0.1_f32).expect("it serialises"),
            "0.10000000149011612"
        );
        assert_eq!(to_python_json(&f32::NAN).expect("it serialises"), "null");
    }

    proptest! {
        #[test]
        fn text_survives_the_round_trip(text in ".*", key in ".*") {
            let value = json!({key: text});
            let json = to_python_json(&value).expect("it serialises");
            prop_assert!(json.is_ascii());
            let back: serde_json::Value = serde_json::from_str(&json).expect("it parses");
            prop_assert_eq!(back, value);
        }

        #[test]
        fn numbers_survive_the_round_trip(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            let back: f64 = python_float(value).parse().expect("it parses");
            prop_assert_eq!(back.to_bits(), bits);
        }
    }
}
