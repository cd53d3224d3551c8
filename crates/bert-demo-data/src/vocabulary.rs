//! Lists the tokens of the small vocabularies.

use std::collections::BTreeSet;

use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{
    NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer,
};

use crate::DemoDataError;
use crate::names::Names;
use crate::squad::Content;

/// The tokens that BERT gives a meaning, in the order of the published vocabularies.
const SPECIAL_TOKENS: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/// A lower-case WordPiece vocabulary.
#[derive(Debug, Clone, Default)]
pub(crate) struct Vocabulary {
    tokens: Vec<String>,
    known: BTreeSet<String>,
}

impl Vocabulary {
    /// The tokens of the SQuAD passages.
    ///
    /// Words are whole, names are in two parts, their stem and their ending, and digits in pairs. A held-out name then consists of
    /// tokens that the training passages have.
    /// Single characters follow, so that no text in these letters gives `[UNK]`.
    ///
    /// # Errors
    ///
    /// If the text cannot be normalised.
    pub(crate) fn squad(content: &Content, names: &Names) -> Result<Self, DemoDataError> {
        let mut vocabulary = Self::default();
        vocabulary.add(SPECIAL_TOKENS.map(str::to_owned));
        for letter in ('a'..='z').chain('0'..='9') {
            vocabulary.add([letter.to_string(), format!("##{letter}")]);
        }
        vocabulary.add(["£", ",", ".", "?", "'", "-", "_"].map(str::to_owned));
        for pair in 0..100 {
            vocabulary.add([format!("{pair:02}"), format!("##{pair:02}")]);
        }
        for joined in [&names.given, &names.family, &names.town] {
            for stem in joined.stems.iter().map(String::as_str) {
                vocabulary.add(words(stem)?);
            }
            for ending in &joined.endings {
                vocabulary.add(words(ending)?.into_iter().map(|word| format!("##{word}")));
            }
        }
        for template in content.templates() {
            // The names of slots are no words of the text.
            let text: String = template
                .split('{')
                .map(|part| part.split_once('}').map_or(part, |(_, text)| text))
                .collect::<Vec<_>>()
                .join(" ");
            vocabulary.add_words(&text)?;
        }
        for word in content
            .things
            .iter()
            .chain(content.verbs.iter().flat_map(|verb| verb.values()))
        {
            vocabulary.add_words(word)?;
        }
        Ok(vocabulary)
    }

    /// Adds the whole words of `text` but numbers.
    ///
    /// # Errors
    ///
    /// If the text cannot be normalised.
    pub(crate) fn add_words(&mut self, text: &str) -> Result<(), DemoDataError> {
        let words = words(text)?.into_iter();
        self.add(words.filter(|word| word.chars().all(char::is_alphabetic)));
        Ok(())
    }

    /// Adds every character of `text`.
    ///
    /// # Errors
    ///
    /// If the text cannot be normalised.
    pub(crate) fn add_characters(&mut self, text: &str) -> Result<(), DemoDataError> {
        for word in words(text)? {
            for character in word.chars() {
                self.add([character.to_string(), format!("##{character}")]);
            }
        }
        Ok(())
    }

    /// The number of tokens.
    pub(crate) fn len(&self) -> usize {
        self.tokens.len()
    }

    /// The text of `vocab.txt`: one token a line.
    pub(crate) fn text(&self) -> String {
        self.tokens
            .iter()
            .flat_map(|token| [token.as_str(), "\n"])
            .collect()
    }

    fn add(&mut self, tokens: impl IntoIterator<Item = String>) {
        for token in tokens {
            if self.known.insert(token.clone()) {
                self.tokens.push(token);
            }
        }
    }
}

/// Splits `text` as BERT's uncased tokenizer does before it looks words up.
fn words(text: &str) -> Result<Vec<String>, DemoDataError> {
    let failed = |error: tokenizers::Error| DemoDataError::Vocabulary {
        message: error.to_string(),
    };
    let mut normalized = NormalizedString::from(text);
    BertNormalizer::default()
        .normalize(&mut normalized)
        .map_err(failed)?;
    let mut pre_tokenized = PreTokenizedString::from(normalized);
    BertPreTokenizer
        .pre_tokenize(&mut pre_tokenized)
        .map_err(failed)?;
    let splits = pre_tokenized.get_splits(OffsetReferential::Normalized, OffsetType::Byte);
    Ok(splits
        .into_iter()
        .map(|(word, _, _)| word.to_owned())
        .collect())
}
