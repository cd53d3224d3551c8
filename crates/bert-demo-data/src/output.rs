//! All files of the demo data.

use crate::names::Names;
use crate::small_model::{self, Size};
use crate::squad::{self, Asking, Content};
use crate::swag;
use crate::vocabulary;
use crate::{DemoDataError, SEED, Split, glue, weights};

/// The vocabulary of the models that SWAG's and GLUE's demos train. It holds every word of their training files whole; a new
/// word goes to its end, for the weights of a model that starts at random depend on the places of its words.
const SMALL_VOCABULARY: &str = include_str!("../../../data/demo/bert-small/vocab.txt");
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

    let reader = vocabulary::squad(&Content::load()?, &Names::load()?)?;

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
    for (folder, vocabulary, size) in [
        ("bert-small", SMALL_VOCABULARY, small_model::SMALL),
        ("bert-reader", &reader, small_model::READER),
    ] {
        files.extend(model_files(folder, vocabulary, size)?);
    }
    Ok(files)
}

/// What the pre-training of `bert-reader` needs: a training file of `passages` passages, and the model with the weights it
/// starts from.
///
/// # Errors
///
/// If the content files have a mistake.
pub fn pretraining_files(passages: usize) -> Result<Vec<DemoFile>, DemoDataError> {
    let vocabulary = vocabulary::squad(&Content::load()?, &Names::load()?)?;
    let weights = weights::weights(small_model::READER, vocabulary.lines().count(), SEED)?;
    let passages = squad::generate(Split::Train, Asking::Blanks, passages, SEED)?;
    let mut files = model_files("start", &vocabulary, small_model::READER)?;
    files.push(file("start/model.safetensors", weights));
    files.push(file("blanks.json", squad::to_json(&passages, "blank")?));
    Ok(files)
}

fn model_files(folder: &str, vocabulary: &str, size: Size) -> Result<Vec<DemoFile>, DemoDataError> {
    let config = small_model::config_json(size, vocabulary.lines().count())?;
    let tokenizer_config = small_model::tokenizer_config_json()?;
    Ok(vec![
        file(format!("{folder}/vocab.txt"), vocabulary),
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
