use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::save_tokenizer;

const SPECIAL: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/// A checkpoint's directory with these files.
fn dir(files: &[(&str, String)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(dir.path().join(name), content).unwrap();
    }
    dir
}

fn vocab(words: &[&str]) -> (&'static str, String) {
    (
        "vocab.txt",
        SPECIAL
            .iter()
            .chain(words)
            .map(|token| format!("{token}\n"))
            .collect(),
    )
}

fn tokenizer_json(words: &[&str], change: impl FnOnce(&mut Value)) -> (&'static str, String) {
    let vocab: serde_json::Map<String, Value> = SPECIAL
        .iter()
        .chain(words)
        .zip(0..)
        .map(|(&token, id)| (token.to_owned(), json!(id)))
        .collect();
    let mut file = json!({
        "version": "1.0",
        "added_tokens": [{"id": 0, "content": "[PAD]", "special": true}],
        "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                       "strip_accents": null, "lowercase": true},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100, "vocab": vocab}
    });
    change(&mut file);
    ("tokenizer.json", file.to_string())
}

fn config(name: &'static str, content: Value) -> (&'static str, String) {
    (name, content.to_string())
}

/// The error of a directory, without the directory's own path.
fn message(files: &[(&str, String)], do_lower_case: Option<bool>) -> String {
    let dir = dir(files);
    let error = BertTokenizer::from_dir(dir.path(), do_lower_case)
        .unwrap_err()
        .to_string();
    assert!(!error.contains('\n'));
    error.replace(&dir.path().display().to_string(), "DIR")
}

#[test]
fn casing_comes_from_the_checkpoint() {
    let lowercase = |value: bool| {
        tokenizer_json(&["the"], move |file| {
            file["normalizer"]["lowercase"] = json!(value)
        })
    };
    let tokenizer_config =
        |value: bool| config("tokenizer_config.json", json!({"do_lower_case": value}));
    let cases = [
        (vec![lowercase(true)], true),
        (vec![lowercase(false)], false),
        (
            vec![lowercase(false), vocab(&["the"]), tokenizer_config(false)],
            false,
        ),
        (vec![vocab(&["the", "The"]), tokenizer_config(true)], true),
        (vec![vocab(&["the"]), tokenizer_config(false)], false),
        (
            vec![
                vocab(&["the"]),
                config(
                    "config.json",
                    json!({"do_lower_case": false, "hidden_size": 4}),
                ),
            ],
            false,
        ),
        // Nothing says so: a vocabulary with capitals is cased. Special tokens do not count, nor do capitals without a
        // lower-case form.
        (vec![vocab(&["the", "[unused1]", "[X]", "𝐀"])], true),
        (vec![vocab(&["the", "##S"])], false),
    ];
    for (files, expected) in cases {
        let dir = dir(&files);
        for asked in [None, Some(expected)] {
            assert_eq!(
                BertTokenizer::from_dir(dir.path(), asked)
                    .unwrap()
                    .do_lower_case(),
                expected,
                "{files:?}"
            );
        }
        assert!(BertTokenizer::from_dir(dir.path(), Some(!expected)).is_err());
    }
}

#[test]
fn a_contradicting_flag_is_refused() {
    let cases = [
        (
            vec![tokenizer_json(&["the"], |_| {})],
            Some(false),
            "DIR: the checkpoint is uncased (tokenizer.json: normalizer.lowercase is true), expected cased because \
             do_lower_case false was asked for",
        ),
        (
            vec![vocab(&["the", "The"])],
            Some(true),
            "DIR: the checkpoint is cased (the vocabulary has upper-case tokens such as \"The\"), expected uncased \
             because do_lower_case true was asked for",
        ),
        (
            vec![
                tokenizer_json(&["the"], |_| {}),
                config("tokenizer_config.json", json!({"do_lower_case": false})),
            ],
            None,
            "DIR: tokenizer.json: normalizer.lowercase is true and tokenizer_config.json: do_lower_case is false, \
             expected them to agree",
        ),
    ];
    for (files, asked, expected) in cases {
        assert_eq!(message(&files, asked), expected);
    }
    // Where the files disagree with one another, the flag decides.
    let dir = dir(&[
        tokenizer_json(&["the"], |_| {}),
        config("tokenizer_config.json", json!({"do_lower_case": false})),
    ]);
    for asked in [false, true] {
        assert_eq!(
            BertTokenizer::from_dir(dir.path(), Some(asked))
                .unwrap()
                .do_lower_case(),
            asked
        );
    }
}

#[test]
fn accents_and_ideographs_follow_the_checkpoint() {
    let files = [
        vocab(&["the"]),
        config(
            "tokenizer_config.json",
            json!({"do_lower_case": true, "strip_accents": false, "tokenize_chinese_chars": false}),
        ),
    ];
    let loaded = BertTokenizer::from_dir(dir(&files).path(), None).unwrap();
    assert_eq!(loaded.basic_tokens("É中文"), ["é中文"]);
    let again = tempfile::tempdir().unwrap();
    save_tokenizer(&loaded, 512, again.path()).unwrap();
    assert_eq!(
        BertTokenizer::from_dir(again.path(), None)
            .unwrap()
            .basic_tokens("É中文"),
        ["é中文"]
    );
}

#[test]
fn unusable_files() {
    let with = |change: fn(&mut Value)| vec![tokenizer_json(&["the"], change)];
    let text = |content: &str| vec![("vocab.txt", content.to_owned())];
    let cases = [
        (
            vec![],
            "DIR: found neither tokenizer.json nor vocab.txt, expected one of them",
        ),
        (
            text(""),
            "DIR/vocab.txt: found an empty vocabulary, expected tokens",
        ),
        (
            text("\r\n\n"),
            "DIR/vocab.txt: found an empty vocabulary, expected tokens",
        ),
        (
            text("[PAD]\n[UNK]\n[CLS]\n"),
            "DIR/vocab.txt: found no [SEP] in the vocabulary, expected BERT's special tokens",
        ),
        (
            text("[PAD]\na\nb\na\n"),
            "DIR/vocab.txt: found token \"a\" at ids 1 and 3, expected unique tokens",
        ),
        (
            text("{"),
            "DIR/vocab.txt: found no [CLS] in the vocabulary, expected BERT's special tokens",
        ),
        (
            vec![("tokenizer.json", "{\"model\"".to_owned())],
            "DIR/tokenizer.json:1:8: EOF while parsing an object",
        ),
        (
            vec![("tokenizer.json", "{}".to_owned())],
            "DIR/tokenizer.json:1:2: missing field `model`",
        ),
        (
            with(|file| file["model"]["type"] = json!("BPE")),
            "DIR/tokenizer.json: model.type: found \"BPE\", expected \"WordPiece\"",
        ),
        (
            with(|file| file["model"] = json!({"type": "Unigram", "vocab": [["a", -1.5]]})),
            "DIR/tokenizer.json: model.type: found \"Unigram\", expected \"WordPiece\"",
        ),
        (
            with(|file| file["normalizer"] = json!({"type": "Sequence", "normalizers": []})),
            "DIR/tokenizer.json: normalizer.type: found \"Sequence\", expected \"BertNormalizer\"",
        ),
        (
            with(|file| file["normalizer"] = Value::Null),
            "DIR/tokenizer.json: normalizer.type: found nothing, expected \"BertNormalizer\"",
        ),
        (
            with(|file| file["pre_tokenizer"]["type"] = json!("Whitespace")),
            "DIR/tokenizer.json: pre_tokenizer.type: found \"Whitespace\", expected \"BertPreTokenizer\"",
        ),
        (
            with(|file| file["model"]["max_input_chars_per_word"] = json!(50)),
            "DIR/tokenizer.json: model.max_input_chars_per_word: found 50, expected 100",
        ),
        (
            with(|file| file["model"]["vocab"] = json!({})),
            "DIR/tokenizer.json: found an empty vocabulary, expected tokens",
        ),
        (
            with(|file| file["model"]["vocab"]["the"] = json!(4)),
            "DIR/tokenizer.json: found tokens \"[MASK]\" and \"the\" at id 4, expected unique ids",
        ),
        (
            with(|file| file["model"]["vocab"]["the"] = json!(4_000_000_000_u32)),
            "DIR/tokenizer.json: found id 4000000000 for token \"the\", expected less than 8192",
        ),
        (
            with(|file| file["model"]["vocab"]["a\nb"] = json!(6)),
            "DIR/tokenizer.json: found token \"a\\nb\" at id 6, expected one that a line of vocab.txt can hold",
        ),
        (
            text("[PAD]\na\r\r\n"),
            "DIR/vocab.txt: found token \"a\\r\" at id 1, expected one that a line of vocab.txt can hold",
        ),
        (
            text("\u{feff}\u{feff}\n"),
            "DIR/vocab.txt: found token \"\\u{feff}\" at id 0, expected one that a line of vocab.txt can hold",
        ),
        (
            with(|file| file["added_tokens"] = json!([{"id": 6, "content": "<new>"}])),
            "DIR/tokenizer.json: added_tokens: found \"<new>\" with id 6, expected tokens of model.vocab only",
        ),
        (
            vec![tokenizer_json(&["the"], |_| {}), vocab(&["the", "a"])],
            "DIR: token 6 is \"a\" in vocab.txt and \"\" in tokenizer.json, expected one vocabulary",
        ),
        (
            vec![
                vocab(&[]),
                config("tokenizer_config.json", json!({"do_lower_case": "True"})),
            ],
            "DIR/tokenizer_config.json:1:23: invalid type: string \"True\", expected a boolean",
        ),
        (
            vec![
                vocab(&[]),
                config("tokenizer_config.json", json!({"do_basic_tokenize": false})),
            ],
            "DIR/tokenizer_config.json: do_basic_tokenize: found false, expected true",
        ),
    ];
    for (files, expected) in cases {
        assert_eq!(message(&files, None), expected);
    }
}

#[test]
fn ids_are_not_far_beyond_the_bytes_of_their_file() {
    let file = tokenizer_json(&["the"], |file| {
        file["padding"] = json!(" ".repeat(40_000));
        file["model"]["vocab"]["the"] = json!(16_000_000);
    });
    let bytes = file.1.len();
    assert_eq!(
        message(&[file], None),
        format!(
            "DIR/tokenizer.json: found id 16000000 for token \"the\", expected less than {bytes}"
        )
    );
}

#[test]
fn repeated_keys_bytes_and_paths() {
    let repeated = tokenizer_json(&["the"], |_| {})
        .1
        .replace("\"the\":5", "\"the\":5,\"the\":6");
    assert_eq!(
        message(&[("tokenizer.json", repeated)], None),
        "DIR/tokenizer.json: found token \"the\" at ids 5 and 6, expected unique tokens"
    );
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vocab.txt");
    fs::write(&path, b"[PAD]\n\xff\n").unwrap();
    let shown = path.display();
    let found = BertTokenizer::from_vocab_file(&path, true)
        .unwrap_err()
        .to_string();
    assert_eq!(
        found,
        format!("{shown}: byte 6 (line 2): found 0xff, expected UTF-8 text")
    );
    let found = BertTokenizer::from_dir(&path, None)
        .unwrap_err()
        .to_string();
    assert_eq!(
        found,
        format!("{shown}: found a file, expected a checkpoint's directory")
    );
    let missing = dir.path().join("missing");
    let found = BertTokenizer::from_dir(&missing, None)
        .unwrap_err()
        .to_string();
    assert_eq!(
        found,
        format!("{}: no such file or directory", missing.display())
    );
    let found = BertTokenizer::from_vocab_file(dir.path(), true)
        .unwrap_err()
        .to_string();
    assert_eq!(
        found,
        format!(
            "{}: found a directory, expected a file",
            dir.path().display()
        )
    );
}

#[test]
fn windows_line_ends_byte_order_marks_and_holes() {
    let (name, content) = vocab(&["the", "", "a"]);
    let changed = format!("\u{feff}{}\r\n\r\n", content.replace('\n', "\r\n"));
    let tokenizer = BertTokenizer::from_dir(dir(&[(name, changed)]).path(), None).unwrap();
    assert_eq!(tokenizer.vocab_size(), 8);
    assert_eq!(
        (tokenizer.token(5), tokenizer.token(6), tokenizer.token(7)),
        (Some("the"), None, Some("a"))
    );
}

#[test]
fn a_saved_tokenizer_reads_back() {
    for do_lower_case in [false, true] {
        let from = dir(&[vocab(&["the", "", "##É", "a"])]);
        let saved =
            BertTokenizer::from_vocab_file(&from.path().join("vocab.txt"), do_lower_case).unwrap();
        let to = tempfile::tempdir().unwrap();
        save_tokenizer(&saved, 512, to.path()).unwrap();
        save_tokenizer(&saved, 512, to.path()).unwrap();
        let read = BertTokenizer::from_dir(to.path(), None).unwrap();
        assert_eq!(
            (read.vocab(), read.do_lower_case()),
            (saved.vocab(), do_lower_case)
        );
        assert_eq!(
            fs::read_dir(to.path()).unwrap().count(),
            4,
            "no temporary file is left"
        );
    }
    let missing = tempfile::tempdir().unwrap().path().join("missing");
    let saved = BertTokenizer::from_dir(dir(&[vocab(&[])]).path(), None).unwrap();
    let found = save_tokenizer(&saved, 512, &missing)
        .unwrap_err()
        .to_string();
    assert_eq!(
        found,
        format!(
            "{}: cannot be written: no such file or directory",
            missing.join("vocab.txt").display()
        )
    );
}
