//! A checkpoint's tokenizer files, read together.

use std::path::Path;

use bert_files::quoted;
use serde::Deserialize;

use crate::basic::BasicTokenizer;
use crate::tokenizer_json::{self, TokenizerJson};
use crate::vocab::{self, Tokens};
use crate::{BertTokenizer, TokenizationError};

/// The tokenizer's settings in `tokenizer_config.json`, or rarely in `config.json`.
#[derive(Default, Deserialize)]
struct Config {
    do_lower_case: Option<bool>,
    strip_accents: Option<bool>,
    tokenize_chinese_chars: Option<bool>,
    do_basic_tokenize: Option<bool>,
}

/// A setting's value and the file and key that give it.
type Found = (&'static str, Option<bool>);

pub(crate) fn read(
    dir: &Path,
    do_lower_case: Option<bool>,
) -> Result<BertTokenizer, TokenizationError> {
    let metadata = dir
        .metadata()
        .map_err(|source| TokenizationError::Directory {
            path: dir.to_owned(),
            source,
        })?;
    if !metadata.is_dir() {
        return Err(TokenizationError::NotADirectory {
            path: dir.to_owned(),
        });
    }
    let json_path = dir.join("tokenizer.json");
    let vocab_path = dir.join("vocab.txt");
    let json = if_present(&json_path, tokenizer_json::read)?;
    let vocab = if_present(&vocab_path, vocab::read)?;
    let tokenizer_config = read_config(&dir.join("tokenizer_config.json"))?;
    let config = read_config(&dir.join("config.json"))?;

    let strip_accents = agreed(
        dir,
        &[
            (
                "tokenizer.json: normalizer.strip_accents",
                json.as_ref().and_then(|json| json.strip_accents),
            ),
            (
                "tokenizer_config.json: strip_accents",
                tokenizer_config.strip_accents,
            ),
        ],
    )?;
    let split_chinese = agreed(
        dir,
        &[
            (
                "tokenizer.json: normalizer.handle_chinese_chars",
                json.as_ref().and_then(|json| json.handle_chinese_chars),
            ),
            (
                "tokenizer_config.json: tokenize_chinese_chars",
                tokenizer_config.tokenize_chinese_chars,
            ),
        ],
    )?;
    let casing = [
        (
            "tokenizer.json: normalizer.lowercase",
            json.as_ref().and_then(|json| json.lowercase),
        ),
        (
            "tokenizer_config.json: do_lower_case",
            tokenizer_config.do_lower_case,
        ),
        ("config.json: do_lower_case", config.do_lower_case),
    ];
    let (path, tokens) = match (json.map(|TokenizerJson { tokens, .. }| tokens), vocab) {
        (Some(json), Some(vocab)) => (json_path, same(dir, json, &vocab)?),
        (Some(json), None) => (json_path, json),
        (None, Some(vocab)) => (vocab_path, vocab),
        (None, None) => {
            return Err(TokenizationError::NoVocabulary {
                dir: dir.to_owned(),
            });
        }
    };
    let lower_case = settle_casing(dir, &casing, &tokens, do_lower_case)?;
    let basic = BasicTokenizer {
        lower_case,
        strip_accents: strip_accents.map_or(lower_case, |(_, value)| value),
        split_chinese: split_chinese.is_none_or(|(_, value)| value),
    };
    BertTokenizer::new(&path, tokens, basic)
}

fn if_present<T>(
    path: &Path,
    read: impl FnOnce(&Path) -> Result<T, TokenizationError>,
) -> Result<Option<T>, TokenizationError> {
    if path.exists() {
        read(path).map(Some)
    } else {
        Ok(None)
    }
}

fn read_config(path: &Path) -> Result<Config, TokenizationError> {
    let parse = |path: &Path| tokenizer_json::parse::<Config>(path, &vocab::read_text(path)?);
    let config = if_present(path, parse)?.unwrap_or_default();
    if config.do_basic_tokenize == Some(false) {
        return Err(TokenizationError::Unsupported {
            path: path.to_owned(),
            key: "do_basic_tokenize",
            found: "false".to_owned(),
            expected: "true".to_owned(),
        });
    }
    Ok(config)
}

/// The one vocabulary that both files hold.
fn same(dir: &Path, json: Tokens, vocab: &Tokens) -> Result<Tokens, TokenizationError> {
    let token = |tokens: &Tokens, id: usize| tokens.get(id).cloned().unwrap_or_default();
    match (0..json.len().max(vocab.len())).find(|&id| json.get(id) != vocab.get(id)) {
        None => Ok(json),
        Some(id) => Err(TokenizationError::VocabulariesDiffer {
            dir: dir.to_owned(),
            id,
            vocab_txt: token(vocab, id),
            tokenizer_json: token(&json, id),
        }),
    }
}

/// The value on which the files that give one agree.
fn agreed(dir: &Path, found: &[Found]) -> Result<Option<(&'static str, bool)>, TokenizationError> {
    let mut given = found
        .iter()
        .filter_map(|&(place, value)| Some((place, value?)));
    let Some((first, first_value)) = given.next() else {
        return Ok(None);
    };
    match given.find(|&(_, value)| value != first_value) {
        None => Ok(Some((first, first_value))),
        Some((second, second_value)) => Err(TokenizationError::SettingsDiffer {
            dir: dir.to_owned(),
            first,
            first_value,
            second,
            second_value,
        }),
    }
}

fn settle_casing(
    dir: &Path,
    found: &[Found],
    tokens: &Tokens,
    asked: Option<bool>,
) -> Result<bool, TokenizationError> {
    let (do_lower_case, evidence) = match (agreed(dir, found), asked) {
        // The files disagree with one another, and only the caller can know.
        (Err(TokenizationError::SettingsDiffer { .. }), Some(asked)) => return Ok(asked),
        (settings, _) => match settings? {
            Some((place, value)) => (value, format!("{place} is {value}")),
            None => match vocab::cased_token(tokens) {
                Some(token) => (
                    false,
                    format!(
                        "the vocabulary has upper-case tokens such as {}",
                        quoted(token)
                    ),
                ),
                None => (true, "the vocabulary has no upper-case tokens".to_owned()),
            },
        },
    };
    match asked {
        Some(asked) if asked != do_lower_case => Err(TokenizationError::Casing {
            dir: dir.to_owned(),
            do_lower_case,
            evidence,
        }),
        _ => Ok(do_lower_case),
    }
}

#[cfg(test)]
mod tests;
