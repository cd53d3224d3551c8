//! Vocabularies: tokens by id.

use std::path::Path;

use ahash::AHashMap;

use crate::TokenizationError;

/// Ids from here on are taken for a damaged file rather than for a vocabulary.
const ID_LIMIT: u32 = 1 << 24;
/// Ids from here on are so in a file of fewer bytes: a few entries would make a long list of ids without tokens.
const ID_LIMIT_OF_FEW: u32 = 1 << 13;

/// Tokens by id, `""` where an id has none.
pub(crate) type Tokens = Vec<String>;

/// The most bytes of a tokenizer's file that are read: those of `ID_LIMIT` tokens of average length.
const LIMIT: u64 = 512 << 20;

/// Reads a file whole as UTF-8, without a byte order mark.
pub(crate) fn read_text(path: &Path) -> Result<String, TokenizationError> {
    Ok(bert_files::read_text(path, LIMIT)?)
}

/// Reads `vocab.txt`: one token a line, the id is the line counted from 0. An empty line is an id without a token.
pub(crate) fn read(path: &Path) -> Result<Tokens, TokenizationError> {
    let text = read_text(path)?;
    let lines = text
        .split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line).to_owned());
    let mut tokens: Tokens = lines.collect();
    while tokens.last().is_some_and(String::is_empty) {
        tokens.pop();
    }
    check(path, tokens)
}

/// Orders the entries of a token-to-id map, which a file of so many `bytes` has.
pub(crate) fn from_entries(
    path: &Path,
    bytes: usize,
    entries: Vec<(String, u32)>,
) -> Result<Tokens, TokenizationError> {
    let limit =
        u32::try_from(bytes).map_or(ID_LIMIT, |bytes| bytes.clamp(ID_LIMIT_OF_FEW, ID_LIMIT));
    let mut tokens = Tokens::new();
    for (token, id) in entries {
        let path = || path.to_owned();
        if id >= limit {
            return Err(TokenizationError::IdTooLarge {
                path: path(),
                id,
                token,
                limit,
            });
        }
        if tokens.len() <= id as usize {
            tokens.resize(id as usize + 1, String::new());
        }
        let slot = &mut tokens[id as usize];
        if !slot.is_empty() {
            let first = std::mem::take(slot);
            return Err(TokenizationError::DuplicateId {
                path: path(),
                id,
                first,
                second: token,
            });
        }
        *slot = token;
    }
    check(path, tokens)
}

fn check(path: &Path, tokens: Tokens) -> Result<Tokens, TokenizationError> {
    if tokens.is_empty() {
        return Err(TokenizationError::EmptyVocabulary {
            path: path.to_owned(),
        });
    }
    if let Some((id, token)) = tokens.iter().enumerate().find(|it| !is_line(*it)) {
        return Err(TokenizationError::NoLine {
            path: path.to_owned(),
            id,
            token: token.clone(),
        });
    }
    let mut ids = AHashMap::new();
    for (id, token) in (0u32..).zip(&tokens).filter(|(_, token)| !token.is_empty()) {
        if let Some(first) = ids.insert(token, id) {
            let token = token.clone();
            return Err(TokenizationError::DuplicateToken {
                path: path.to_owned(),
                token,
                first,
                second: id,
            });
        }
    }
    Ok(tokens)
}

/// Whether a line of `vocab.txt` gives the token of an id back.
fn is_line((id, token): (usize, &String)) -> bool {
    let has_mark = id == 0 && token.starts_with('\u{feff}');
    !(has_mark || token.contains('\n') || token.ends_with('\r'))
}

/// A token with an upper-case letter, special tokens aside: only cased vocabularies have one.
pub(crate) fn cased_token(tokens: &Tokens) -> Option<&str> {
    let special = |token: &&String| token.starts_with('[') && token.ends_with(']');
    // Some capitals, mathematical ones for instance, have no lower-case form and survive lower-casing.
    let lowers = |c: char| c.is_uppercase() && !c.to_lowercase().eq([c]);
    tokens
        .iter()
        .filter(|token| !special(token))
        .find(|token| token.contains(lowers))
        .map(String::as_str)
}
