//! Tokenizer files for a checkpoint's directory.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::tokenizer::{CLS, PAD, SEP, UNK};
use crate::{BertTokenizer, TokenizationError};

#[derive(Serialize)]
struct TokenizerConfig {
    tokenizer_class: &'static str,
    do_lower_case: bool,
    strip_accents: bool,
    tokenize_chinese_chars: bool,
    unk_token: &'static str,
    sep_token: &'static str,
    pad_token: &'static str,
    cls_token: &'static str,
    mask_token: &'static str,
}

/// Writes `vocab.txt` and `tokenizer_config.json` into an existing directory, each atomically (a temporary file,
/// synced, then renamed). [`BertTokenizer::from_dir`] and `transformers` read them back.
///
/// # Errors
///
/// Fails where a file cannot be written; the file of that name, if any, is then as it was.
pub fn save_tokenizer(tokenizer: &BertTokenizer, dir: &Path) -> Result<(), TokenizationError> {
    tokenizer_files(tokenizer)
        .into_iter()
        .try_for_each(|(name, content)| write(dir, name, &content))
}

/// The names and contents of the files that [`save_tokenizer`] writes.
pub fn tokenizer_files(tokenizer: &BertTokenizer) -> [(&'static str, Vec<u8>); 2] {
    let basic = tokenizer.basic();
    let config = TokenizerConfig {
        tokenizer_class: "BertTokenizer",
        do_lower_case: basic.lower_case,
        strip_accents: basic.strip_accents,
        tokenize_chinese_chars: basic.split_chinese,
        unk_token: UNK,
        sep_token: SEP,
        pad_token: PAD,
        cls_token: CLS,
        mask_token: "[MASK]",
    };
    let mut vocab = Vec::new();
    for token in tokenizer.vocab() {
        vocab.extend_from_slice(token.as_bytes());
        vocab.push(b'\n');
    }
    let mut config = serde_json::to_vec_pretty(&config).expect("the configuration is plain JSON");
    config.push(b'\n');
    [("vocab.txt", vocab), ("tokenizer_config.json", config)]
}

fn write(dir: &Path, name: &str, content: &[u8]) -> Result<(), TokenizationError> {
    let path = dir.join(name);
    replace(dir, &path, content).map_err(|source| TokenizationError::Write { path, source })
}

fn replace(dir: &Path, path: &Path, content: &[u8]) -> io::Result<()> {
    // Opened here rather than by `tempfile`, which would keep the file from everyone but its owner and put the
    // temporary name into errors.
    let mut file = tempfile::Builder::new().make_in(dir, |path| {
        File::options().write(true).create_new(true).open(path)
    })?;
    // Not through the temporary file itself, whose errors carry its name.
    file.as_file_mut().write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    // The rename itself lasts once the directory is on disk; only Unix can sync one.
    if cfg!(unix) {
        File::open(dir)?.sync_all()
    } else {
        Ok(())
    }
}
