//! All files of the demo data.

use crate::names::Names;
use crate::small_model::{self, Size};
use crate::squad::{self, Asking, Content};
use crate::swag::{self, Row};
use crate::vocabulary::Vocabulary;
use crate::{DemoDataError, SEED, Split, glue, weights};

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
    pub bytes: Vec<u8>,
}

/// Path below `data/demo` of `bert-reader`'s weights, and the bytes that are committed: training made them.
pub const READER_WEIGHTS: (&str, &[u8]) = (
    "bert-reader/model.safetensors",
    include_bytes!("../../../data/demo/bert-reader/model.safetensors"),
);

/// The files but [`READER_WEIGHTS`].
///
/// # Errors
///
/// If the content files have a mistake.
pub fn demo_files() -> Result<Vec<DemoFile>, DemoDataError> {
    let train = squad::generate(Split::Train, Asking::Questions, TRAIN_PASSAGES, SEED)?;
    let dev = squad::generate(Split::Dev, Asking::Questions, DEV_PASSAGES, SEED)?;
    let swag = swag::generate(SEED)?;
    let glue = glue::generate(SEED)?;

    let reader = Vocabulary::squad(&Content::load()?, &Names::load()?)?;
    let mut small = reader.clone();
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
    files.extend(model_files("bert-small", &small, small_model::SMALL)?);
    files.extend(model_files("bert-reader", &reader, small_model::READER)?);
    Ok(files)
}

/// What the pre-training of `bert-reader` needs: a training file of `passages` passages, and the model with the weights it
/// starts from.
///
/// # Errors
///
/// If the content files have a mistake.
pub fn pretraining_files(passages: usize) -> Result<Vec<DemoFile>, DemoDataError> {
    let vocabulary = Vocabulary::squad(&Content::load()?, &Names::load()?)?;
    let weights = weights::weights(small_model::READER, vocabulary.len(), SEED)?;
    let passages = squad::generate(Split::Train, Asking::Blanks, passages, SEED)?;
    let mut files = model_files("start", &vocabulary, small_model::READER)?;
    files.push(file("start/model.safetensors", weights));
    files.push(file("blanks.json", squad::to_json(&passages, "blank")?));
    Ok(files)
}

fn model_files(
    folder: &str,
    vocabulary: &Vocabulary,
    size: Size,
) -> Result<Vec<DemoFile>, DemoDataError> {
    let config = small_model::config_json(size, vocabulary.len())?;
    let tokenizer_config = small_model::tokenizer_config_json()?;
    Ok(vec![
        file(format!("{folder}/vocab.txt"), vocabulary.text()),
        file(format!("{folder}/config.json"), config),
        file(format!("{folder}/tokenizer_config.json"), tokenizer_config),
    ])
}

fn file(path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> DemoFile {
    DemoFile {
        path: path.into(),
        bytes: bytes.into(),
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
