//! The WordPiece vocabulary covers every character of the demo data and comes out the same each time.

use std::collections::BTreeSet;

use ahash::AHashMap;
use bert_demo_data::squad::{Asking, generate};
use bert_demo_data::{SEED, Split, demo_files};
use tokenizers::Tokenizer;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;

#[test]
fn the_vocabulary_is_sound() {
    let files = demo_files().unwrap();
    let vocab = &files
        .iter()
        .find(|file| file.path == "bert-small/vocab.txt")
        .unwrap()
        .text;
    let tokens: Vec<&str> = vocab.lines().collect();
    assert_eq!(tokens[..5], ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]);
    assert_eq!(
        tokens.iter().collect::<BTreeSet<_>>().len(),
        tokens.len(),
        "a token occurs twice"
    );
    assert!(
        (1500..=3500).contains(&tokens.len()),
        "{} tokens",
        tokens.len()
    );
    let config: serde_json::Value = serde_json::from_str(
        &files
            .iter()
            .find(|file| file.path == "bert-small/config.json")
            .unwrap()
            .text,
    )
    .unwrap();
    assert_eq!(config["vocab_size"], tokens.len());
}

#[test]
fn training_it_twice_gives_the_same() {
    let passages = generate(Split::Train, SEED).unwrap();
    assert_eq!(
        train_vocabulary(&passages, &["Fresh bread."], "é").unwrap(),
        train_vocabulary(&passages, &["Fresh bread."], "é").unwrap()
    );
}

#[test]
fn no_text_has_an_unknown_token() {
    let files = demo_files().unwrap();
    let vocab = files
        .iter()
        .find(|file| file.path == "bert-small/vocab.txt")
        .unwrap();
    let ids = vocab.text.lines().zip(0..);
    let model = WordPiece::builder()
        .vocab(
            ids.map(|(token, id)| (token.to_owned(), id))
                .collect::<AHashMap<_, _>>(),
        )
        .unk_token("[UNK]".to_owned())
        .build()
        .unwrap();
    let mut tokenizer = Tokenizer::new(model);
    tokenizer
        .with_normalizer(Some(BertNormalizer::default()))
        .unwrap();
    tokenizer.with_pre_tokenizer(Some(BertPreTokenizer));

    let passages = [Split::Train, Split::Dev].map(|split| generate(split, SEED).unwrap());
    let mut texts: Vec<String> = Vec::new();
    for passage in passages.iter().flatten() {
        texts.push(passage.context.clone());
        texts.extend(
            passage
                .questions
                .iter()
                .map(|question| question.text.clone()),
        );
    }
    // Of a table's fields, those that hold a sentence.
    for file in &files {
        let separator = match file.path.split('/').next() {
            Some("swag") => b',',
            Some("glue") => b'\t',
            _ => continue,
        };
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(separator)
            .quoting(separator == b',')
            .flexible(true)
            .from_reader(file.text.as_bytes());
        for record in reader.records() {
            let record = record.unwrap();
            let sentences = record.iter().filter(|field| field.contains(' '));
            texts.extend(
                sentences
                    .filter(|field| !field.starts_with('('))
                    .map(str::to_owned),
            );
        }
    }
    for text in texts {
        let encoding = tokenizer.encode(text.as_str(), false).unwrap();
        assert!(
            !encoding.get_tokens().contains(&"[UNK]".to_owned()),
            "{text}: {:?}",
            encoding.get_tokens()
        );
    }
}
