//! The text of a predicted span as the context writes it.
//!
//! WordPieces are lower-cased, stripped of accents and split at punctuation, and a span of them may begin or end inside
//! a word. Two copies of the words around the span bridge the gap: the words as written and the same words
//! basic-tokenised. The span's text is found in the second copy, and its first and last character are carried over to
//! the first copy by counting the characters that are not spaces.

use std::ops::Range;

/// The text of WordPieces: pieces joined to words, words separated by single spaces.
pub(super) fn detokenize<'a>(tokens: impl Iterator<Item = &'a str>) -> String {
    let mut joined = String::new();
    for token in tokens {
        if !joined.is_empty() {
            joined.push(' ');
        }
        joined.push_str(token);
    }
    if !joined.contains("##") {
        return joined;
    }
    let pieces = joined.replace(" ##", "").replace("##", "");
    pieces.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The bytes of `words` that `span_text` stands for, or all of them where the two cannot be aligned.
///
/// `words` are the original words that the span touches, joined by spaces; `basic_tokens` are the basic tokens of
/// these words, joined by spaces.
pub(super) fn recover(span_text: &str, words: &str, basic_tokens: &str) -> Range<usize> {
    align(span_text, words, basic_tokens).unwrap_or(0..words.len())
}

fn align(span_text: &str, words: &str, basic_tokens: &str) -> Option<Range<usize>> {
    let first = basic_tokens.find(span_text)?;
    let (last_in_span, _) = span_text.char_indices().next_back()?;
    let last = first + last_in_span;
    if letters(words).count() != letters(basic_tokens).count() {
        return None;
    }
    let first_letter = letters(basic_tokens).position(|at| at == first)?;
    let last_letter = letters(basic_tokens).position(|at| at == last)?;
    let start = letters(words).nth(first_letter)?;
    let last_start = letters(words).nth(last_letter)?;
    let end = last_start + words[last_start..].chars().next()?.len_utf8();
    Some(start..end)
}

/// Byte positions of the characters that are not spaces.
fn letters(text: &str) -> impl Iterator<Item = usize> {
    text.char_indices()
        .filter(|(_, c)| *c != ' ')
        .map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_become_words() {
        let cases: [(&[&str], &str); 6] = [
            (&["steve", "smith"], "steve smith"),
            (&["un", "##afford", "##able"], "unaffordable"),
            (&["##able", "prices"], "able prices"),
            (&["[UNK]", "x"], "[UNK] x"),
            (&["#", "#", "x"], "# # x"),
            (&[], ""),
        ];
        for (tokens, expected) in cases {
            assert_eq!(detokenize(tokens.iter().copied()), expected);
        }
    }

    #[test]
    fn text_is_recovered_as_written() {
        let cases = [
            // Casing, accents and punctuation come back.
            (
                "steve smith",
                "Steve Smith's",
                "steve smith ' s",
                "Steve Smith",
            ),
            ("cafe", "(Café),", "( cafe ) ,", "Café"),
            ("1 , 500", "$1,500.", "$ 1 , 500 .", "1,500"),
            // A span inside a word.
            ("able", "Unaffordable", "unaffordable", "able"),
            // The first occurrence counts, whichever piece was meant.
            ("s", "Smith's", "smith ' s", "S"),
            // No alignment: an unknown token, a lost character, an empty span.
            ("[UNK] x", "☃ X", "☃ x", "☃ X"),
            ("tokyo", "Tokyo\u{ad}s", "tokyos", "Tokyo\u{ad}s"),
            ("", "Word", "word", "Word"),
            // Wide characters.
            ("東", "東京,", "東 京 ,", "東"),
        ];
        for (span_text, words, basic_tokens, expected) in cases {
            assert_eq!(
                &words[recover(span_text, words, basic_tokens)],
                expected,
                "{span_text:?} in {words:?}"
            );
        }
    }
}
