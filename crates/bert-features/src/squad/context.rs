//! Contexts as words and WordPieces.

use bert_tokenization::{BertTokenizer, CharSpan, TokenizationError};

use crate::window::TokenSpan;

/// A tokenised context.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContextTokens {
    /// The context's words: what stands between white space as SQuAD knows it.
    pub words: Vec<CharSpan>,
    /// WordPiece ids.
    pub ids: Vec<u32>,
    /// Parallel to `ids`: the index into `words` of the word that each piece comes from. Never falls; a word of control
    /// characters alone has no piece.
    pub token_to_word: Vec<u32>,
}

impl ContextTokens {
    /// Tokenises a context.
    pub(super) fn new(text: &str, tokenizer: &BertTokenizer) -> Result<Self, TokenizationError> {
        let words = words(text);
        let tokens = tokenizer.tokenize(text)?;
        let mut ids = Vec::with_capacity(tokens.len());
        let mut token_to_word = Vec::with_capacity(tokens.len());
        let mut word = 0;
        for token in tokens {
            // Whatever separates words separates tokens too, so a token lies in one word. This makes one pass over the
            // context the same as a pass over each of its words.
            while words[word as usize].end <= token.span.start {
                word += 1;
            }
            ids.push(token.id);
            token_to_word.push(word);
        }
        Ok(Self {
            words,
            ids,
            token_to_word,
        })
    }

    /// The word of a character of the context; white space belongs to the word before it.
    pub(super) fn word_at(&self, char: usize) -> Option<usize> {
        self.words
            .partition_point(|word| word.start <= char)
            .checked_sub(1)
    }

    /// The tokens of consecutive words, from `first` to `last`.
    pub(super) fn tokens_of(&self, first: usize, last: usize) -> TokenSpan {
        let before = |word: usize| {
            self.token_to_word
                .partition_point(|&owner| (owner as usize) < word)
        };
        TokenSpan {
            start: before(first),
            end: before(last + 1),
        }
    }
}

/// SQuAD's white space: U+00A0 and others are parts of words.
fn is_space(value: char) -> bool {
    matches!(value, ' ' | '\t' | '\r' | '\n' | '\u{202f}')
}

fn words(text: &str) -> Vec<CharSpan> {
    let mut words = Vec::with_capacity(text.len() / 6);
    let mut start = None;
    let mut length = 0;
    for (position, value) in text.chars().enumerate() {
        length = position + 1;
        match (is_space(value), start) {
            (true, Some(first)) => {
                words.push(CharSpan {
                    start: first,
                    end: position,
                });
                start = None;
            }
            (false, None) => start = Some(position),
            _ => {}
        }
    }
    words.extend(start.map(|first| CharSpan {
        start: first,
        end: length,
    }));
    words
}
