//! All files of the demo data.

use crate::squad::{self, Passage};
use crate::{DemoDataError, SEED, Split, small_model, vocabulary};

/// A file of the demo data.
#[derive(Debug, Clone)]
pub struct DemoFile {
    /// Path below `data/demo`, with forward slashes.
    pub path: &'static str,
    /// What the file holds.
    pub text: String,
}

/// The files, each with its text.
///
/// # Errors
///
/// If the content files have a mistake.
pub fn demo_files() -> Result<Vec<DemoFile>, DemoDataError> {
    let train = squad::generate(Split::Train, SEED)?;
    let dev = squad::generate(Split::Dev, SEED)?;
    let alphabet = alphabet(train.iter().chain(&dev));
    let vocab = vocabulary::train_vocabulary(&train, &alphabet)?;
    let vocab_size = vocab.lines().count();
    Ok(vec![
        DemoFile {
            path: "squad/train-v1.1.json",
            text: squad::to_json(&train, Split::Train)?,
        },
        DemoFile {
            path: "squad/dev-v1.1.json",
            text: squad::to_json(&dev, Split::Dev)?,
        },
        DemoFile {
            path: "bert-small/vocab.txt",
            text: vocab,
        },
        DemoFile {
            path: "bert-small/config.json",
            text: small_model::config_json(vocab_size)?,
        },
        DemoFile {
            path: "bert-small/tokenizer_config.json",
            text: small_model::tokenizer_config_json()?,
        },
    ])
}

/// Every character of the passages and questions, separated by blanks.
fn alphabet<'a>(passages: impl Iterator<Item = &'a Passage>) -> String {
    let mut characters = std::collections::BTreeSet::new();
    for passage in passages {
        characters.extend(passage.context.chars());
        characters.extend(
            passage
                .questions
                .iter()
                .flat_map(|question| question.text.chars()),
        );
    }
    characters.into_iter().flat_map(|c| [c, ' ']).collect()
}
