//! The vocabularies cover every word of the demo data that uses them.

#![allow(clippy::unwrap_used, reason = "a test ends by panicking")]

use std::collections::BTreeSet;

use ahash::AHashMap;
use bert_demo_data::squad::{Asking, generate};
use bert_demo_data::{SEED, Split, demo_files};
use tokenizers::Tokenizer;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;

fn text(path: &str) -> String {
    let mut files = demo_files().unwrap().into_iter();
    let file = files.find(|file| file.path == path).unwrap();
    String::from_utf8(file.bytes).unwrap()
}

fn tokenizer(folder: &str) -> Tokenizer {
    let vocabulary: AHashMap<String, u32> = text(&format!("{folder}/vocab.txt"))
        .lines()
        .map(str::to_owned)
        .zip(0..)
        .collect();
    let model = WordPiece::builder()
        .vocab(vocabulary)
        .unk_token("[UNK]".to_owned())
        .build()
        .unwrap();
    let mut tokenizer = Tokenizer::new(model);
    tokenizer
        .with_normalizer(Some(BertNormalizer::default()))
        .unwrap();
    tokenizer.with_pre_tokenizer(Some(BertPreTokenizer));
    tokenizer
}

fn tokens(tokenizer: &Tokenizer, text: &str) -> Vec<String> {
    let encoding = tokenizer.encode(text, false).unwrap();
    let tokens = encoding.get_tokens().to_vec();
    assert!(!tokens.contains(&"[UNK]".to_owned()), "{text}: {tokens:?}");
    tokens
}

#[test]
fn the_vocabularies_are_sound() {
    for folder in ["bert-small", "bert-reader"] {
        let vocabulary = text(&format!("{folder}/vocab.txt"));
        let tokens: Vec<&str> = vocabulary.lines().collect();
        assert_eq!(tokens[..5], ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]);
        let different: BTreeSet<_> = tokens.iter().collect();
        assert_eq!(different.len(), tokens.len(), "a token occurs twice");
        let config: serde_json::Value =
            serde_json::from_str(&text(&format!("{folder}/config.json"))).unwrap();
        assert_eq!(config["vocab_size"], tokens.len());
    }
}

#[test]
fn held_out_passages_have_the_tokens_of_training_passages() {
    let tokenizer = tokenizer("bert-reader");
    let found = |split| -> BTreeSet<String> {
        let passages = generate(split, Asking::Questions, 400, SEED).unwrap();
        let texts = passages.iter().flat_map(|passage| {
            let questions = passage.questions.iter().map(|question| &question.text);
            questions.chain([&passage.context])
        });
        texts.flat_map(|text| tokens(&tokenizer, text)).collect()
    };
    let (train, dev) = (found(Split::Train), found(Split::Dev));
    let new: Vec<&String> = dev.difference(&train).collect();
    assert!(new.is_empty(), "{new:?}");
}

#[test]
fn no_row_has_an_unknown_token() {
    let tokenizer = tokenizer("bert-small");
    for file in demo_files().unwrap() {
        let separator = match file.path.split('/').next() {
            Some("swag") => b',',
            Some("glue") => b'\t',
            _ => continue,
        };
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(separator)
            .quoting(separator == b',')
            .flexible(true)
            .from_reader(file.bytes.as_slice());
        for record in reader.records() {
            // Of a table's fields, those that hold a sentence.
            for field in record.unwrap().iter() {
                if field.contains(' ') && !field.starts_with('(') {
                    tokens(&tokenizer, field);
                }
            }
        }
    }
}
