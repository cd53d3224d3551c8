//! All files of the demo data.

use crate::names::Names;
use crate::squad::{self, Asking, Content};
use crate::swag::{self, Row};
use crate::vocabulary::Vocabulary;
use crate::{DemoDataError, SEED, Split, glue, small_model};

/// Passages to learn from.
const TRAIN_PASSAGES: usize = 1000;
/// Held-out passages.
const DEV_PASSAGES: usize = 100;

/// A file of the demo data.
#[derive(Debug, Clone)]
pub struct DemoFile {
    /// Path below `data/demo`, with forward slashes.
    pub path: String,
    /// What the file holds.
    pub text: String,
}

/// Path below `data/demo` of the pre-trained weights, and their bytes as they are committed.
pub const PRETRAINED_WEIGHTS: (&str, &[u8]) = (
    "bert-pretrained/model.safetensors",
    include_bytes!("../../../data/demo/bert-pretrained/model.safetensors"),
);

/// The files but the pre-trained weights.
///
/// # Errors
///
/// If the content files have a mistake.
pub fn demo_files() -> Result<Vec<DemoFile>, DemoDataError> {
    let train = squad::generate(Split::Train, Asking::Questions, TRAIN_PASSAGES, SEED)?;
    let dev = squad::generate(Split::Dev, Asking::Questions, DEV_PASSAGES, SEED)?;
    let swag = swag::generate(SEED)?;
    let glue = glue::generate(SEED)?;

    let pretrained = Vocabulary::squad(&Content::load()?, &Names::load()?)?;
    let mut small = pretrained.clone();
    for text in swag.train.iter().flat_map(row_texts) {
        small.add_words(text)?;
    }
    for file in &glue {
        for text in example_texts(file) {
            small.add_characters(text)?;
            if file.set == glue::Set::Train {
                small.add_words(text)?;
            }
        }
    }

    let mut files = vec![
        file("squad/train-v1.1.json", squad::to_json(&train, "train")?),
        file("squad/dev-v1.1.json", squad::to_json(&dev, "dev")?),
        file("swag/train.csv", swag::to_csv(&swag.train, true)?),
        file("swag/val.csv", swag::to_csv(&swag.val, true)?),
        file("swag/test.csv", swag::to_csv(&swag.test, false)?),
    ];
    for examples in &glue {
        let text = glue::text(examples, SEED)?;
        files.push(file(&examples.path, text));
    }
    for (folder, vocabulary, config) in [
        ("bert-small", small, small_model::SMALL),
        ("bert-pretrained", pretrained, small_model::PRETRAINED),
    ] {
        let path = |name: &str| format!("{folder}/{name}");
        files.extend([
            file(path("vocab.txt"), vocabulary.text()),
            file(
                path("config.json"),
                small_model::config_json(config, vocabulary.len())?,
            ),
            file(
                path("tokenizer_config.json"),
                small_model::tokenizer_config_json()?,
            ),
        ]);
    }
    Ok(files)
}

fn file(path: impl Into<String>, text: String) -> DemoFile {
    DemoFile {
        path: path.into(),
        text,
    }
}

fn row_texts(row: &Row) -> impl Iterator<Item = &str> {
    [&row.sent1, &row.sent2]
        .into_iter()
        .chain(&row.endings)
        .map(String::as_str)
}

fn example_texts(file: &glue::Examples) -> impl Iterator<Item = &str> {
    file.examples.iter().flat_map(|example| {
        std::iter::once(&example.sentence1)
            .chain(&example.sentence2)
            .map(String::as_str)
    })
}
