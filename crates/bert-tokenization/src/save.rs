//! Tokenizer files for a checkpoint's directory.

use std::collections::BTreeMap;
use std::path::Path;

use bert_files::write_atomically;
use serde::Serialize;
use tokenizers::decoders::wordpiece::WordPiece as WordPieceDecoder;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::bert::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::processors::template::TemplateProcessing;
use tokenizers::{AddedToken, TokenizerBuilder};

use crate::tokenizer::{CLS, MASK, PAD, SEP, UNK};
use crate::{BertTokenizer, TokenizationError};

#[derive(Serialize)]
struct TokenizerConfig {
    tokenizer_class: &'static str,
    do_lower_case: bool,
    strip_accents: bool,
    tokenize_chinese_chars: bool,
    model_max_length: usize,
    unk_token: &'static str,
    sep_token: &'static str,
    pad_token: &'static str,
    cls_token: &'static str,
    mask_token: &'static str,
}

/// Writes `vocab.txt`, `tokenizer.json`, `tokenizer_config.json` and `special_tokens_map.json` into an existing directory, each atomically (a
/// temporary file, synced, then renamed). [`BertTokenizer::from_dir`] and `transformers` read them back.
/// `model_max_length` is the longest row of the model, in tokens: `transformers` truncates to it.
///
/// # Errors
///
/// Fails where a file cannot be written; the file of that name, if any, is then as it was.
pub fn save_tokenizer(
    tokenizer: &BertTokenizer,
    model_max_length: usize,
    dir: &Path,
) -> Result<(), TokenizationError> {
    for (name, content) in tokenizer_files(tokenizer, model_max_length) {
        write_atomically(&dir.join(name), |out| out.write_all(&content))?;
    }
    Ok(())
}

/// The names and contents of the files that [`save_tokenizer`] writes.
pub fn tokenizer_files(
    tokenizer: &BertTokenizer,
    model_max_length: usize,
) -> [(&'static str, Vec<u8>); 4] {
    let basic = tokenizer.basic();
    let config = TokenizerConfig {
        tokenizer_class: "BertTokenizer",
        do_lower_case: basic.lower_case,
        strip_accents: basic.strip_accents,
        tokenize_chinese_chars: basic.split_chinese,
        model_max_length,
        unk_token: UNK,
        sep_token: SEP,
        pad_token: PAD,
        cls_token: CLS,
        mask_token: MASK,
    };
    let mut vocab = Vec::new();
    for token in tokenizer.vocab() {
        vocab.extend_from_slice(token.as_bytes());
        vocab.push(b'\n');
    }
    let names = [
        ("cls_token", CLS),
        ("mask_token", MASK),
        ("pad_token", PAD),
        ("sep_token", SEP),
        ("unk_token", UNK),
    ];
    let names = names.into_iter().filter(|(_, token)| has(tokenizer, token));
    let special: BTreeMap<_, _> = names.collect();
    [
        ("vocab.txt", vocab),
        ("tokenizer.json", tokenizer_json(tokenizer)),
        ("tokenizer_config.json", pretty(&config)),
        ("special_tokens_map.json", pretty(&special)),
    ]
}

fn pretty(value: &impl Serialize) -> Vec<u8> {
    let mut json = serde_json::to_vec_pretty(value).expect("settings are plain JSON");
    json.push(b'\n');
    json
}

fn has(tokenizer: &BertTokenizer, token: &str) -> bool {
    tokenizer.vocab().iter().any(|known| known == token)
}

/// The tokenizer in the format of the `tokenizers` library.
fn tokenizer_json(tokenizer: &BertTokenizer) -> Vec<u8> {
    let basic = tokenizer.basic();
    let row = TemplateProcessing::builder()
        .try_single(format!("{CLS} $A {SEP}"))
        .expect("the template of one text is well-formed")
        .try_pair(format!("{CLS} $A {SEP} $B:1 {SEP}:1"))
        .expect("the template of a pair is well-formed")
        .special_tokens(vec![(CLS, tokenizer.cls_id()), (SEP, tokenizer.sep_id())])
        .build()
        .expect("the templates' special tokens are given");
    let mut file = TokenizerBuilder::<
        WordPiece,
        BertNormalizer,
        BertPreTokenizer,
        TemplateProcessing,
        WordPieceDecoder,
    >::new()
    .with_model(tokenizer.word_piece().clone())
    .with_normalizer(Some(BertNormalizer::new(
        true,
        basic.split_chinese,
        Some(basic.strip_accents),
        basic.lower_case,
    )))
    .with_pre_tokenizer(Some(BertPreTokenizer))
    .with_post_processor(Some(row))
    .with_decoder(Some(WordPieceDecoder::default()))
    .build()
    .expect("a model is given");
    // A token that the vocabulary lacks would get an id that the model has no row for.
    let special = [PAD, UNK, CLS, SEP, MASK].into_iter();
    let special = special.filter(|token| has(tokenizer, token));
    let special = special.map(|token| AddedToken::from(token, true));
    file.add_special_tokens(special)
        .expect("the special tokens are in the vocabulary");
    pretty(&file)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::str::FromStr;

    use serde_json::Value;
    use tokenizers::Tokenizer;

    use super::*;

    const WORDS: [&str; 13] = [
        "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "bc", "##d", "##é", "É", "e", "中", ",",
    ];

    fn tokenizer(words: &[&str], do_lower_case: bool) -> BertTokenizer {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vocab.txt");
        fs::write(&path, words.join("\n")).unwrap();
        BertTokenizer::from_vocab_file(&path, do_lower_case).unwrap()
    }

    fn file(tokenizer: &BertTokenizer, name: &str) -> String {
        let files = tokenizer_files(tokenizer, 512).into_iter();
        let mut files = files.filter(|(found, _)| *found == name);
        String::from_utf8(files.next().unwrap().1).unwrap()
    }

    #[test]
    fn the_tokenizers_library_gives_the_same_rows() {
        for do_lower_case in [false, true] {
            let own = tokenizer(&WORDS, do_lower_case);
            let library = Tokenizer::from_str(&file(&own, "tokenizer.json")).unwrap();
            let ids = |text: &str| -> Vec<u32> {
                let tokens = own.tokenize(text).unwrap();
                tokens.into_iter().map(|token| token.id).collect()
            };
            let (a, b) = ("A bcd, É", "a中bcé bcx");
            let row = library.encode((a, b), true).unwrap();
            let (cls, sep) = ([own.cls_id()], [own.sep_id()]);
            let expected = [&cls[..], &ids(a), &sep, &ids(b), &sep].concat();
            assert_eq!(row.get_ids(), expected, "{do_lower_case}");
            let second = ids(b).len() + 1;
            let types = row.get_type_ids();
            assert_eq!(types.iter().sum::<u32>() as usize, second);
            let single = library.encode(a, true).unwrap();
            assert_eq!(single.get_ids(), [&cls[..], &ids(a), &sep].concat());
        }
    }

    /// Ids that a model has no row for are never given.
    #[test]
    fn a_vocabulary_without_a_mask_gets_none() {
        let without: Vec<&str> = WORDS.into_iter().filter(|word| *word != MASK).collect();
        let own = tokenizer(&without, true);
        let library = Tokenizer::from_str(&file(&own, "tokenizer.json")).unwrap();
        assert_eq!(library.get_vocab_size(true), own.vocab_size());
        assert_eq!(library.token_to_id(MASK), None);
        let names = file(&own, "special_tokens_map.json");
        assert!(
            !names.contains("mask_token") && names.contains("\"cls_token\": \"[CLS]\""),
            "{names}"
        );
    }

    #[test]
    fn rows_are_truncated_to_what_the_model_reads() {
        let config = file(&tokenizer(&WORDS, true), "tokenizer_config.json");
        let config: Value = serde_json::from_str(&config).unwrap();
        assert_eq!(config["model_max_length"], 512);
    }
}
