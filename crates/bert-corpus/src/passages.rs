//! A document cut at paragraphs and sentences.

use std::ops::Range;

use crate::sentences;

/// Bytes of a passage at most. In bytes a limit fits all scripts about equally: 1,000 bytes are some 220 tokens of English and
/// 330 of Chinese, and a window of 384 has room for 317 beside a question of 64.
pub const PASSAGE_BYTES: usize = 1000;

/// The passages of a text, as byte ranges in their order. Each holds whole paragraphs, as many as fit, or whole sentences
/// of a paragraph that does not fit. Only white space is outside of them.
pub(crate) fn passages(text: &str, limit: usize) -> Vec<Range<usize>> {
    let mut passages: Vec<Range<usize>> = Vec::new();
    for piece in paragraphs(text).flat_map(|it| pieces(text, it, limit)) {
        match passages.last_mut() {
            Some(last) if piece.end - last.start <= limit => last.end = piece.end,
            _ => passages.push(piece),
        }
    }
    passages
}

/// What stands between blank lines.
fn paragraphs(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut lines = text.split_inclusive('\n');
    let mut at = 0;
    std::iter::from_fn(move || {
        let mut paragraph: Option<Range<usize>> = None;
        for line in lines.by_ref() {
            let span = at..at + line.len();
            at = span.end;
            let Some(Range { start, end }) = trimmed(text, span) else {
                if paragraph.is_some() {
                    break;
                }
                continue;
            };
            let start = paragraph.map_or(start, |it| it.start);
            paragraph = Some(start..end);
        }
        paragraph
    })
}

/// A paragraph, or where it is too long its sentences, or parts of them that are not.
fn pieces(text: &str, paragraph: Range<usize>, limit: usize) -> Vec<Range<usize>> {
    if paragraph.len() <= limit {
        return vec![paragraph];
    }
    let starts = sentences::starts(&text[paragraph.clone()]);
    let sentences = starts.windows(2).filter_map(|bounds| {
        let [from, to] = [bounds[0], bounds[1]].map(|at| paragraph.start + at);
        trimmed(text, from..to)
    });
    sentences.flat_map(|it| parts(text, it, limit)).collect()
}

/// A sentence, or where it is too long its parts, cut between words where it has any.
fn parts(text: &str, mut rest: Range<usize>, limit: usize) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    while rest.len() > limit {
        let inside = text.floor_char_boundary(rest.start + limit);
        let space = text[rest.start..inside].rfind(char::is_whitespace);
        // A character may be longer than the limit.
        let first = text[rest.start..].chars().next().map_or(1, char::len_utf8);
        let cut = space.map_or(inside, |at| rest.start + at);
        let cut = cut.max(rest.start + first);
        parts.extend(trimmed(text, rest.start..cut));
        match trimmed(text, cut..rest.end) {
            Some(left) => rest = left,
            None => return parts,
        }
    }
    parts.push(rest);
    parts
}

/// The range without white space at its ends, where it holds anything else.
fn trimmed(text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let part = &text[range.clone()];
    let start = range.start + part.len() - part.trim_start().len();
    let end = range.start + part.trim_end().len();
    (start < end).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(text: &str, limit: usize) -> Vec<&str> {
        let passages = passages(text, limit);
        passages.into_iter().map(|it| &text[it]).collect()
    }

    #[test]
    fn passages_are_whole_paragraphs_or_whole_sentences() {
        let cases: [(&str, usize, &[&str]); 7] = [
            ("", 10, &[]),
            (" \n\r\n ", 10, &[]),
            (
                "# Tower\n\nIt is high.\n\nThe end",
                20,
                &["# Tower\n\nIt is high.", "The end"],
            ),
            ("One.\r\n \r\nTwo.", 5, &["One.", "Two."]),
            (
                "It is high. It was\nbuilt in 1889. It stands. So",
                27,
                &["It is high.", "It was\nbuilt in 1889.", "It stands. So"],
            ),
            (
                "no full stop anywhere here",
                10,
                &["no full", "stop", "anywhere", "here"],
            ),
            ("ééééé", 3, &["é", "é", "é", "é", "é"]),
        ];
        for (text, limit, expected) in cases {
            assert_eq!(cut(text, limit), expected, "{text:?} {limit}");
        }
    }

    proptest! {
        #[test]
        fn passages_cover_any_text_and_fit(
            text in "(\\PC|[ .!?\n\r\u{2029}a-c東é😀\u{301}]){0,120}",
            limit in 1_usize..40,
        ) {
            let passages = passages(&text, limit);
            let mut at = 0;
            for passage in &passages {
                prop_assert!(text[at..passage.start].trim().is_empty());
                let found = &text[passage.clone()];
                prop_assert_eq!(found.trim(), found);
                prop_assert!(!found.is_empty());
                prop_assert!(found.len() <= limit || found.chars().count() == 1);
                at = passage.end;
            }
            prop_assert!(text[at..].trim().is_empty());
        }
    }
}
