//! The 2018 `BasicTokenizer`: text cleaned, cut at white space, lower-cased, stripped of accents and cut at punctuation.
//!
//! Written here rather than taken from `tokenizers`, whose `BertNormalizer` lower-cases character by character (so a
//! final sigma differs) and leaves U+2B820 to U+2B91F out of the CJK ranges; and because the original positions come
//! out of the same pass. The tests hold the two side by side.

use std::convert::Infallible;
use std::ops::Range;

use unicode_normalization::char::{canonical_combining_class, decompose_canonical};
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

use crate::CharSpan;

/// How text is normalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BasicTokenizer {
    /// Lower-case every word.
    pub(crate) lower_case: bool,
    /// Decompose (NFD) and drop non-spacing marks.
    pub(crate) strip_accents: bool,
    /// Make every CJK ideograph a word.
    pub(crate) split_chinese: bool,
}

/// A character of the normalised text and the original characters that it stands for.
#[derive(Debug, Clone, Copy)]
struct NormalizedChar {
    value: char,
    span: CharSpan,
}

/// A word or a punctuation character, normalised.
pub(crate) struct BasicToken<'a> {
    /// The normalised text, never empty.
    pub(crate) text: &'a str,
    /// Parallel to the characters of `text`.
    chars: &'a [NormalizedChar],
}

impl BasicToken<'_> {
    /// The original text of a range of bytes of `text`.
    pub(crate) fn span(&self, bytes: Range<usize>) -> CharSpan {
        let chars = if self.text.len() == self.chars.len() {
            &self.chars[bytes]
        } else {
            let first = self.text[..bytes.start].chars().count();
            &self.chars[first..first + self.text[bytes].chars().count()]
        };
        // Canonical ordering may have moved marks, so the first character need not start first.
        chars.iter().fold(
            CharSpan {
                start: usize::MAX,
                end: 0,
            },
            |all, NormalizedChar { span, .. }| CharSpan {
                start: all.start.min(span.start),
                end: all.end.max(span.end),
            },
        )
    }
}

impl BasicTokenizer {
    /// Calls `emit` with every token of a text, in order, until it fails.
    pub(crate) fn try_for_each<E>(
        &self,
        text: &str,
        mut emit: impl FnMut(BasicToken<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut word = Vec::new();
        let mut buffer = String::new();
        for (position, value) in text.chars().enumerate() {
            let char = NormalizedChar {
                value,
                span: CharSpan {
                    start: position,
                    end: position + 1,
                },
            };
            match class(value) {
                Class::Text => word.push(char),
                Class::Dropped => {}
                Class::Space => self.finish_word(&mut word, &mut buffer, &mut emit)?,
                Class::Chinese if self.split_chinese => {
                    self.finish_word(&mut word, &mut buffer, &mut emit)?;
                    word.push(char);
                    self.finish_word(&mut word, &mut buffer, &mut emit)?;
                }
                Class::Chinese => word.push(char),
            }
        }
        self.finish_word(&mut word, &mut buffer, &mut emit)
    }

    /// The tokens' texts.
    pub(crate) fn tokens(&self, text: &str) -> Vec<String> {
        let mut tokens = Vec::new();
        let Ok(()) = self.try_for_each(text, |token| {
            tokens.push(token.text.to_owned());
            Ok::<(), Infallible>(())
        });
        tokens
    }

    /// Normalises the word collected so far, cuts it at punctuation and empties it.
    fn finish_word<E>(
        &self,
        word: &mut Vec<NormalizedChar>,
        buffer: &mut String,
        emit: &mut impl FnMut(BasicToken<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if word.is_empty() {
            return Ok(());
        }
        self.normalize(word);
        for chars in word.chunk_by(|a, b| !is_punctuation(a.value) && !is_punctuation(b.value)) {
            buffer.clear();
            buffer.extend(chars.iter().map(|char| char.value));
            emit(BasicToken {
                text: buffer,
                chars,
            })?;
        }
        word.clear();
        Ok(())
    }

    fn normalize(&self, word: &mut Vec<NormalizedChar>) {
        if word.iter().all(|char| char.value.is_ascii()) {
            if self.lower_case {
                word.iter_mut()
                    .for_each(|char| char.value.make_ascii_lowercase());
            }
            return;
        }
        if self.lower_case {
            *word = lower_cased(word);
        }
        if self.strip_accents {
            *word = without_accents(word);
        }
    }
}

/// Lower-cases a word as a whole: a capital sigma becomes ς at a word's end and σ elsewhere.
fn lower_cased(word: &[NormalizedChar]) -> Vec<NormalizedChar> {
    let whole = word
        .iter()
        .map(|char| char.value)
        .collect::<String>()
        .to_lowercase();
    let mut values = whole.chars();
    word.iter()
        .flat_map(|char| {
            // Context picks among characters but never changes how many there are.
            let count = char.value.to_lowercase().count();
            let span = char.span;
            values
                .by_ref()
                .take(count)
                .map(move |value| NormalizedChar { value, span })
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Decomposes a word (NFD) and drops its non-spacing marks.
fn without_accents(word: &[NormalizedChar]) -> Vec<NormalizedChar> {
    let mut decomposed = Vec::with_capacity(word.len() + 4);
    for char in word {
        let is_mark = is_nonspacing_mark(char.value);
        let span = char.span;
        decompose_canonical(char.value, |value| {
            decomposed.push((NormalizedChar { value, span }, is_mark))
        });
    }
    let class = |(char, _): &(NormalizedChar, bool)| canonical_combining_class(char.value);
    for marks in decomposed.chunk_by_mut(|a, b| class(a) != 0 && class(b) != 0) {
        marks.sort_by_key(class);
    }
    let mut kept: Vec<NormalizedChar> = Vec::with_capacity(decomposed.len());
    for (char, is_mark) in decomposed {
        if !is_nonspacing_mark(char.value) {
            kept.push(char);
        } else if let Some(base) = kept.last_mut()
            && is_mark
            && base.span.end == char.span.start
        {
            // A mark of its own in the text becomes part of what it stands on, directly, there: canonical ordering can
            // put it elsewhere.
            base.span.end = char.span.end;
        }
    }
    kept
}

fn is_nonspacing_mark(value: char) -> bool {
    !value.is_ascii() && value.general_category() == GeneralCategory::NonspacingMark
}

enum Class {
    /// Part of a word.
    Text,
    /// White space.
    Space,
    /// A CJK ideograph.
    Chinese,
    /// Control and format characters, unassigned and private ones, NUL and the replacement character.
    Dropped,
}

fn class(value: char) -> Class {
    match value {
        ' ' | '\t' | '\n' | '\r' => Class::Space,
        '\u{fffd}' | '\0'..='\u{1f}' | '\u{7f}' => Class::Dropped,
        _ if value.is_ascii() => Class::Text,
        // Before ideographs: their blocks have places that no character has yet.
        _ if value.general_category_group() == GeneralCategoryGroup::Other => Class::Dropped,
        _ if is_chinese(value) => Class::Chinese,
        _ if value.is_whitespace() => Class::Space,
        _ => Class::Text,
    }
}

/// The CJK ideograph blocks; Hiragana, Katakana and Hangul are ordinary letters.
fn is_chinese(value: char) -> bool {
    matches!(value,
        '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{2a6df}'
        | '\u{2a700}'..='\u{2b73f}'
        | '\u{2b740}'..='\u{2b81f}'
        | '\u{2b820}'..='\u{2ceaf}'
        | '\u{2f800}'..='\u{2fa1f}')
}

/// Unicode's punctuation and every ASCII character that is neither letter, digit nor space (`$`, `+`, `^`, ...).
fn is_punctuation(value: char) -> bool {
    value.is_ascii_punctuation()
        || !value.is_ascii() && value.general_category_group() == GeneralCategoryGroup::Punctuation
}

#[cfg(test)]
mod tests;
