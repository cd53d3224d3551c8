//! Tokenizer files for a checkpoint's directory.

use std::path::Path;

use bert_files::write_atomically;
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
    for (name, content) in tokenizer_files(tokenizer) {
        write_atomically(&dir.join(name), |out| out.write_all(&content))?;
    }
    Ok(())
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
