//! The WordPiece vocabulary covers every character of the demo data and comes out the same each time.

use std::collections::BTreeSet;

use bert_demo_data::squad::generate;
use bert_demo_data::{SEED, Split, demo_files, train_vocabulary};

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
        (1500..=4000).contains(&tokens.len()),
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
        train_vocabulary(&passages, "é").unwrap(),
        train_vocabulary(&passages, "é").unwrap()
    );
}
