//! The sentences of a text, and which of them an answer is in.

use bert_tokenization::CharSpan;
use unicode_segmentation::UnicodeSegmentation;

/// Byte position of each sentence, and the text's length.
pub(crate) fn starts(text: &str) -> Vec<usize> {
    let unwrapped = without_wraps(text);
    let starts = unwrapped.split_sentence_bound_indices().map(|(at, _)| at);
    starts.chain([text.len()]).collect()
}

/// The text with spaces for the line ends within paragraphs, which end no sentence; every byte keeps its place.
fn without_wraps(text: &str) -> String {
    let ends_line = |c: &char| *c == '\n' || *c == '\r';
    let mut unwrapped = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['\n', '\r']) {
        let (line, after) = rest.split_at(at);
        let ends: usize = after.chars().take_while(ends_line).count();
        let (ends, after) = after.split_at(ends);
        unwrapped.push_str(line);
        match ends {
            "\n" | "\r" | "\r\n" => unwrapped.extend(std::iter::repeat_n(' ', ends.len())),
            paragraph => unwrapped.push_str(paragraph),
        }
        rest = after;
    }
    unwrapped.push_str(rest);
    unwrapped
}

/// The sentences of a text, by the rules of Unicode Standard Annex 29.
pub struct Sentences<'a> {
    text: &'a str,
    /// Byte position of each character, and the text's length.
    offsets: Vec<usize>,
    /// Byte position of each sentence, and the text's length.
    starts: Vec<usize>,
}

impl<'a> Sentences<'a> {
    /// Finds the sentences of a text.
    pub fn of(text: &'a str) -> Self {
        let end = [text.len()];
        Self {
            text,
            offsets: text.char_indices().map(|(at, _)| at).chain(end).collect(),
            starts: starts(text),
        }
    }

    /// The sentence or sentences that a span of the text is in: what is before it, the span, and what is after it.
    ///
    /// # Panics
    /// When the span is not within the text.
    pub fn around(&self, span: CharSpan) -> [&'a str; 3] {
        let (start, end) = (self.offsets[span.start], self.offsets[span.end]);
        let first = self.starts.partition_point(|at| *at <= start).max(1) - 1;
        let last = self.starts.partition_point(|at| *at < end);
        let from = self.starts[first];
        let to = self.starts[last.min(self.starts.len() - 1)];
        [
            &self.text[from..start],
            &self.text[start..end],
            &self.text[end..to],
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(text: &str, part: &str) -> CharSpan {
        let start = text[..text.find(part).unwrap()].chars().count();
        CharSpan {
            start,
            end: start + part.chars().count(),
        }
    }

    #[test]
    fn a_span_is_found_in_its_sentence() {
        let text = "Ünder 😀 bridges. The tower\nwas built in 1889. It is high! The end";
        assert_eq!(without_wraps("a\r\nb\n\nc\n"), "a  b\n\nc ");
        let sentences = Sentences::of(text);
        for (part, before, after) in [
            ("1889", "The tower\nwas built in ", ". "),
            ("Ünder", "", " 😀 bridges. "),
            ("end", "The ", ""),
            ("1889. It", "The tower\nwas built in ", " is high! "),
        ] {
            let found = sentences.around(span(text, part));
            assert_eq!(found, [before, part, after], "{part}");
        }
    }
}
