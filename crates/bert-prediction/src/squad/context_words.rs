//! The words of a context, as written and basic-tokenised.

use bert_features::squad::ContextTokens;
use bert_tokenization::{BertTokenizer, CharSpan};

use super::answer_text;

/// A context's words; prepared once and shared by the context's questions.
///
/// Basic tokenisation never looks beyond white space, so the basic tokens of a run of words are those of its words.
#[derive(Debug)]
pub(super) struct ContextWords<'a> {
    /// The words as written.
    written: Vec<&'a str>,
    /// Where the words stand in the text.
    spans: &'a [CharSpan],
    /// The basic tokens of each word, joined by spaces; empty where cleaning leaves nothing of the word.
    basic: Vec<String>,
}

impl<'a> ContextWords<'a> {
    /// Cuts `text` into the words of `tokens`; gives the index of a word that is outside the text as the error.
    pub(super) fn new(
        text: &'a str,
        tokens: &'a ContextTokens,
        tokenizer: &BertTokenizer,
    ) -> Result<Self, usize> {
        let offsets: Vec<usize> = text
            .char_indices()
            .map(|(at, _)| at)
            .chain([text.len()])
            .collect();
        let written = tokens
            .words
            .iter()
            .enumerate()
            .map(|(index, word)| {
                let start = *offsets.get(word.start).ok_or(index)?;
                let end = *offsets.get(word.end).ok_or(index)?;
                text.get(start..end).ok_or(index)
            })
            .collect::<Result<Vec<&str>, usize>>()?;
        let basic = written
            .iter()
            .map(|word| tokenizer.basic_tokens(word).join(" "))
            .collect();
        Ok(Self {
            written,
            spans: &tokens.words,
            basic,
        })
    }

    /// The text of a span of WordPieces as the context writes it: part of the words `first..=last`, which the span
    /// touches; and where in the context it stands. The text has single spaces where the context may have other white
    /// space.
    pub(super) fn recover(&self, span_text: &str, first: usize, last: usize) -> (String, CharSpan) {
        let words = self.written[first..=last].join(" ");
        let mut basic = String::new();
        for tokens in self.basic[first..=last].iter().filter(|t| !t.is_empty()) {
            if !basic.is_empty() {
                basic.push(' ');
            }
            basic.push_str(tokens);
        }
        let range = answer_text::recover(span_text, &words, &basic);
        let span = CharSpan {
            start: self.place(first, range.start, false),
            end: self.place(first, range.end, true),
        };
        (words[range].to_owned(), span)
    }

    /// The place in the context of a byte of the joined words from `first` on; an end belongs to the word before it.
    fn place(&self, first: usize, byte: usize, is_end: bool) -> usize {
        let mut word_start = 0;
        let words = self.written[first..].iter().zip(&self.spans[first..]);
        for (word, span) in words {
            let word_end = word_start + word.len();
            if byte < word_end || (is_end && byte == word_end) {
                let before = word.get(..byte.saturating_sub(word_start)).unwrap_or("");
                return span.start + before.chars().count();
            }
            word_start = word_end + 1;
        }
        unreachable!("a place in the words is in one of them")
    }
}
