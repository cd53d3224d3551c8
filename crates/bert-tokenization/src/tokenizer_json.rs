//! The parts of `tokenizer.json` that describe a BERT tokenizer.

use std::fmt;
use std::path::Path;

use bert_files::JsonFault;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};

use crate::TokenizationError;
use crate::tokenizer::{CONTINUING_PREFIX, MAX_CHARS_PER_WORD, UNK};
use crate::vocab::{self, Tokens};

/// What a `tokenizer.json` says.
pub(crate) struct TokenizerJson {
    pub(crate) tokens: Tokens,
    pub(crate) lowercase: Option<bool>,
    pub(crate) strip_accents: Option<bool>,
    pub(crate) handle_chinese_chars: Option<bool>,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    added_tokens: Vec<AddedToken>,
    normalizer: Option<Normalizer>,
    pre_tokenizer: Option<Component>,
    model: WordPieceModel,
}

#[derive(Deserialize)]
struct AddedToken {
    id: u32,
    content: String,
}

#[derive(Deserialize)]
struct Component {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Normalizer {
    #[serde(rename = "type")]
    kind: String,
    clean_text: Option<bool>,
    handle_chinese_chars: Option<bool>,
    strip_accents: Option<bool>,
    lowercase: Option<bool>,
}

#[derive(Deserialize)]
struct WordPieceModel {
    #[serde(rename = "type")]
    kind: Option<String>,
    unk_token: Option<String>,
    continuing_subword_prefix: Option<String>,
    max_input_chars_per_word: Option<usize>,
    #[serde(default)]
    vocab: Vocab,
}

/// A token-to-id map in file order, with repeated keys kept so that they can be refused; none where the file has a list,
/// as models of another kind do.
#[derive(Default)]
struct Vocab(Option<Vec<(String, u32)>>);

impl<'de> Deserialize<'de> for Vocab {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct VocabVisitor;

        impl<'de> Visitor<'de> for VocabVisitor {
            type Value = Vocab;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object from token to id")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vocab, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Vocab(Some(entries)))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut seq: A,
            ) -> Result<Vocab, A::Error> {
                while seq.next_element::<serde::de::IgnoredAny>()?.is_some() {}
                Ok(Vocab(None))
            }
        }

        deserializer.deserialize_any(VocabVisitor)
    }
}

pub(crate) fn read(path: &Path) -> Result<TokenizerJson, TokenizationError> {
    let text = vocab::read_text(path)?;
    let file: File = parse(path, &text)?;
    let expect = |key, found: Option<&str>, expected: &str| {
        if found == Some(expected) {
            return Ok(());
        }
        let found = found.map_or_else(|| "nothing".to_owned(), |found| format!("{found:?}"));
        Err(TokenizationError::Unsupported {
            path: path.to_owned(),
            key,
            found,
            expected: format!("{expected:?}"),
        })
    };
    let model = &file.model;
    expect(
        "model.type",
        Some(model.kind.as_deref().unwrap_or("WordPiece")),
        "WordPiece",
    )?;
    expect(
        "model.unk_token",
        Some(model.unk_token.as_deref().unwrap_or(UNK)),
        UNK,
    )?;
    let prefix = model
        .continuing_subword_prefix
        .as_deref()
        .unwrap_or(CONTINUING_PREFIX);
    expect(
        "model.continuing_subword_prefix",
        Some(prefix),
        CONTINUING_PREFIX,
    )?;
    let max_chars = model.max_input_chars_per_word.unwrap_or(MAX_CHARS_PER_WORD);
    if max_chars != MAX_CHARS_PER_WORD {
        return Err(TokenizationError::Unsupported {
            path: path.to_owned(),
            key: "model.max_input_chars_per_word",
            found: max_chars.to_string(),
            expected: MAX_CHARS_PER_WORD.to_string(),
        });
    }
    expect(
        "normalizer.type",
        file.normalizer.as_ref().map(|it| it.kind.as_str()),
        "BertNormalizer",
    )?;
    expect(
        "pre_tokenizer.type",
        file.pre_tokenizer.as_ref().map(|it| it.kind.as_str()),
        "BertPreTokenizer",
    )?;
    let normalizer = file.normalizer.as_ref();
    if normalizer.and_then(|it| it.clean_text) == Some(false) {
        return Err(TokenizationError::Unsupported {
            path: path.to_owned(),
            key: "normalizer.clean_text",
            found: "false".to_owned(),
            expected: "true".to_owned(),
        });
    }
    let (lowercase, strip_accents, handle_chinese_chars) = normalizer
        .map_or((None, None, None), |it| {
            (it.lowercase, it.strip_accents, it.handle_chinese_chars)
        });
    let entries = file.model.vocab.0.unwrap_or_default();
    let tokens = vocab::from_entries(path, text.len(), entries)?;
    for added in file.added_tokens {
        let found = tokens.get(added.id as usize);
        if found != Some(&added.content) {
            return Err(TokenizationError::Unsupported {
                path: path.to_owned(),
                key: "added_tokens",
                found: format!("{:?} with id {}", added.content, added.id),
                expected: "tokens of model.vocab only".to_owned(),
            });
        }
    }
    Ok(TokenizerJson {
        tokens,
        lowercase,
        strip_accents,
        handle_chinese_chars,
    })
}

/// Parses JSON, with errors that name the place.
pub(crate) fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, TokenizationError> {
    serde_json::from_str(text).map_err(|error| TokenizationError::Json {
        path: path.to_owned(),
        line: error.line(),
        column: error.column(),
        message: JsonFault::from(error).message(),
    })
}
