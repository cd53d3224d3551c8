//! The tokenizer.

use std::fmt;
use std::path::Path;

use ahash::AHashMap;
use tokenizers::Model;
use tokenizers::models::wordpiece::WordPiece;

use crate::basic::BasicTokenizer;
use crate::vocab::Tokens;
use crate::{TokenizationError, checkpoint, vocab};

/// Longer words become `[UNK]`, as in the 2018 code; in normalised characters.
pub(crate) const MAX_CHARS_PER_WORD: usize = 100;
/// Marks a piece that continues a word.
pub(crate) const CONTINUING_PREFIX: &str = "##";
pub(crate) const UNK: &str = "[UNK]";
pub(crate) const CLS: &str = "[CLS]";
pub(crate) const SEP: &str = "[SEP]";
pub(crate) const PAD: &str = "[PAD]";
pub(crate) const MASK: &str = "[MASK]";

/// A half-open range of Unicode scalars of the original text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CharSpan {
    /// First scalar.
    pub start: usize,
    /// One past the last scalar.
    pub end: usize,
}

/// A WordPiece and the text it was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token {
    /// Index into the vocabulary.
    pub id: u32,
    /// Where it stands in the original text. Accents and other marks that normalisation drops belong to the character
    /// before them. Pieces of one character that decomposes (a Hangul syllable) share that character.
    pub span: CharSpan,
}

/// BERT's tokenizer: immutable, shared between threads, without locks.
pub struct BertTokenizer {
    tokens: Tokens,
    word_piece: WordPiece,
    basic: BasicTokenizer,
    special: SpecialIds,
}

#[derive(Clone, Copy)]
struct SpecialIds {
    cls: u32,
    sep: u32,
    pad: u32,
    unk: u32,
}

impl BertTokenizer {
    /// Reads a checkpoint's tokenizer: `tokenizer.json`, `vocab.txt` or both.
    ///
    /// Casing comes from `tokenizer.json` (`normalizer.lowercase`), `tokenizer_config.json` or `config.json`
    /// (`do_lower_case`), which must agree; where none of them says, a vocabulary with upper-case letters is cased.
    /// `do_lower_case` may confirm that, or decide where the files disagree with one another.
    ///
    /// # Errors
    ///
    /// Fails on files that are missing, damaged, not BERT's or at odds with one another, on a vocabulary without
    /// BERT's special tokens, and on a `do_lower_case` that contradicts the checkpoint.
    pub fn from_dir(dir: &Path, do_lower_case: Option<bool>) -> Result<Self, TokenizationError> {
        checkpoint::read(dir, do_lower_case)
    }

    /// Reads a `vocab.txt`, whose casing the caller knows.
    ///
    /// # Errors
    ///
    /// Fails on a file that is missing or damaged and on a vocabulary without BERT's special tokens.
    pub fn from_vocab_file(path: &Path, do_lower_case: bool) -> Result<Self, TokenizationError> {
        let basic = BasicTokenizer {
            lower_case: do_lower_case,
            strip_accents: do_lower_case,
            split_chinese: true,
        };
        Self::new(path, vocab::read(path)?, basic)
    }

    /// Builds the tokenizer; `path` names the vocabulary in errors.
    pub(crate) fn new(
        path: &Path,
        tokens: Tokens,
        basic: BasicTokenizer,
    ) -> Result<Self, TokenizationError> {
        let ids: AHashMap<String, u32> = tokens
            .iter()
            .cloned()
            .zip(0u32..)
            .filter(|(token, _)| !token.is_empty())
            .collect();
        let special = |token: &'static str| {
            let missing = || TokenizationError::MissingSpecialToken {
                path: path.to_owned(),
                token,
            };
            ids.get(token).copied().ok_or_else(missing)
        };
        let special = SpecialIds {
            cls: special(CLS)?,
            sep: special(SEP)?,
            pad: special(PAD)?,
            unk: special(UNK)?,
        };
        let word_piece = WordPiece::builder()
            .vocab(ids)
            .unk_token(UNK.to_owned())
            .continuing_subword_prefix(CONTINUING_PREFIX.to_owned())
            .max_input_chars_per_word(MAX_CHARS_PER_WORD)
            .build()
            .map_err(|error| word_piece_error("", &*error))?;
        Ok(Self {
            tokens,
            word_piece,
            basic,
            special,
        })
    }

    /// Whether text is lower-cased before it is looked up.
    #[must_use]
    pub fn do_lower_case(&self) -> bool {
        self.basic.lower_case
    }

    /// One more than the largest id.
    #[must_use]
    pub fn vocab_size(&self) -> usize {
        self.tokens.len()
    }

    /// The tokens by id; `""` where an id has none.
    #[must_use]
    pub fn vocab(&self) -> &[String] {
        &self.tokens
    }

    /// The id of `[CLS]`.
    #[must_use]
    pub fn cls_id(&self) -> u32 {
        self.special.cls
    }

    /// The id of `[SEP]`.
    #[must_use]
    pub fn sep_id(&self) -> u32 {
        self.special.sep
    }

    /// The id of `[PAD]`.
    #[must_use]
    pub fn pad_id(&self) -> u32 {
        self.special.pad
    }

    /// The id of `[UNK]`.
    #[must_use]
    pub fn unk_id(&self) -> u32 {
        self.special.unk
    }

    /// The token of an id; `None` where the id has none.
    #[must_use]
    pub fn token(&self, id: u32) -> Option<&str> {
        self.tokens
            .get(id as usize)
            .map(String::as_str)
            .filter(|token| !token.is_empty())
    }

    /// The WordPieces of a text, in order, without special tokens.
    ///
    /// # Errors
    ///
    /// Fails where the WordPiece model does, which a vocabulary with `[UNK]` rules out.
    pub fn tokenize(&self, text: &str) -> Result<Vec<Token>, TokenizationError> {
        let mut tokens = Vec::with_capacity(text.len() / 4);
        self.basic.try_for_each(text, |word| {
            let pieces = self
                .word_piece
                .tokenize(word.text)
                .map_err(|error| word_piece_error(word.text, &*error))?;
            tokens.extend(pieces.iter().map(|piece| Token {
                id: piece.id,
                span: word.span(piece.offsets.0..piece.offsets.1),
            }));
            Ok::<(), TokenizationError>(())
        })?;
        Ok(tokens)
    }

    /// The words and punctuation characters of a text before WordPiece, normalised: the 2018 `BasicTokenizer`.
    #[must_use]
    pub fn basic_tokens(&self, text: &str) -> Vec<String> {
        self.basic.tokens(text)
    }

    pub(crate) fn basic(&self) -> &BasicTokenizer {
        &self.basic
    }

    pub(crate) fn word_piece(&self) -> &WordPiece {
        &self.word_piece
    }
}

fn word_piece_error(word: &str, error: &dyn std::error::Error) -> TokenizationError {
    TokenizationError::WordPiece {
        word: word.to_owned(),
        message: error.to_string(),
    }
}

impl fmt::Debug for BertTokenizer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("BertTokenizer")
            .field("vocab_size", &self.vocab_size())
            .field("basic", &self.basic)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
