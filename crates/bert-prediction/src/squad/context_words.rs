//! The words of a context, as written and basic-tokenised.

use bert_features::squad::ContextTokens;
use bert_tokenization::BertTokenizer;

use super::answer_text;

/// A context's words; prepared once and shared by the context's questions.
///
/// Basic tokenisation never looks beyond white space, so the basic tokens of a run of words are those of its words.
#[derive(Debug)]
pub(super) struct ContextWords<'a> {
    /// The words as written.
    written: Vec<&'a str>,
    /// The basic tokens of each word, joined by spaces; empty where cleaning leaves nothing of the word.
    basic: Vec<String>,
}

impl<'a> ContextWords<'a> {
    /// Cuts `text` into the words of `tokens`; gives the index of a word that is outside the text as the error.
    pub(super) fn new(
        text: &'a str,
        tokens: &ContextTokens,
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
        Ok(Self { written, basic })
    }

    /// The text of a span of WordPieces as the context writes it: part of the words `first..=last`, which the span
    /// touches.
    pub(super) fn recover(&self, span_text: &str, first: usize, last: usize) -> String {
        let words = self.written[first..=last].join(" ");
        let mut basic = String::new();
        for tokens in self.basic[first..=last].iter().filter(|t| !t.is_empty()) {
            if !basic.is_empty() {
                basic.push(' ');
            }
            basic.push_str(tokens);
        }
        answer_text::recover(span_text, &words, &basic).to_owned()
    }
}
