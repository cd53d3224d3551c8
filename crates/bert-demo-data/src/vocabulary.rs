//! Lists the tokens of the SQuAD demo's model.

use std::collections::BTreeSet;

use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{
    NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer,
};

use crate::DemoDataError;
use crate::names::Names;
use crate::squad::Content;
use crate::template::{Piece, pieces};

/// The tokens that BERT gives a meaning, in the order of the published vocabularies.
const SPECIAL_TOKENS: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/// A lower-case WordPiece vocabulary for the SQuAD passages: the text of `vocab.txt`, one token a line.
///
/// Words are whole, names are in two parts, their stem and their ending, and digits in pairs. A held-out name then consists of
/// tokens that the training passages have. Single characters are there as well, so that no text in these gives `[UNK]`.
///
/// # Errors
///
/// If a text cannot be split into words.
pub(crate) fn squad(content: &Content, names: &Names) -> Result<String, DemoDataError> {
    let mut tokens: Vec<String> = SPECIAL_TOKENS.map(str::to_owned).to_vec();
    for letter in ('a'..='z').chain('0'..='9') {
        tokens.extend([letter.to_string(), format!("##{letter}")]);
    }
    tokens.extend(["£", ",", ".", "?", "'", "-", "_"].map(str::to_owned));
    for pair in 0..100 {
        tokens.extend([format!("{pair:02}"), format!("##{pair:02}")]);
    }
    for joined in [&names.given, &names.family, &names.town] {
        for stem in &joined.stems {
            tokens.extend(words(stem)?);
        }
        for ending in &joined.endings {
            tokens.extend(words(ending)?.into_iter().map(|word| format!("##{word}")));
        }
    }
    let mut texts: Vec<String> = Vec::new();
    for template in content.templates() {
        for piece in pieces(template)? {
            if let Piece::Text(text) = piece {
                texts.push(text.to_owned());
            }
        }
    }
    texts.extend(content.things.iter().cloned());
    texts.extend(content.verbs.iter().flat_map(|verb| verb.values().cloned()));
    for text in texts {
        let words = words(&text)?.into_iter();
        tokens.extend(words.filter(|word| word.chars().all(char::is_alphabetic)));
    }
    let mut known = BTreeSet::new();
    tokens.retain(|token| known.insert(token.clone()));
    Ok(tokens
        .iter()
        .flat_map(|token| [token.as_str(), "\n"])
        .collect())
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
