//! All files of the demo data.

use crate::squad::{self, Passage};
use crate::swag::{self, Row};
use crate::{DemoDataError, SEED, Split, glue, small_model, vocabulary};

/// A file of the demo data.
#[derive(Debug, Clone)]
pub struct DemoFile {
    /// Path below `data/demo`, with forward slashes.
    pub path: String,
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
    let swag = swag::generate(SEED)?;
    let glue = glue::generate(SEED)?;

    let held_out_rows = swag.val.iter().chain(&swag.test);
    let alphabet = alphabet(
        passage_texts(train.iter().chain(&dev))
            .chain(swag.train.iter().chain(held_out_rows).flat_map(row_texts))
            .chain(glue.iter().flat_map(example_texts)),
    );
    let training_texts: Vec<&str> = swag
        .train
        .iter()
        .flat_map(row_texts)
        .chain(
            glue.iter()
                .filter(|file| file.set == glue::Set::Train)
                .flat_map(example_texts),
        )
        .collect();
    let vocab = vocabulary::train_vocabulary(&train, &training_texts, &alphabet)?;
    let vocab_size = vocab.lines().count();

    let mut files = vec![
        DemoFile {
            path: "squad/train-v1.1.json".to_owned(),
            text: squad::to_json(&train, Split::Train)?,
        },
        DemoFile {
            path: "squad/dev-v1.1.json".to_owned(),
            text: squad::to_json(&dev, Split::Dev)?,
        },
        DemoFile {
            path: "swag/train.csv".to_owned(),
            text: swag::to_csv(&swag.train, true)?,
        },
        DemoFile {
            path: "swag/val.csv".to_owned(),
            text: swag::to_csv(&swag.val, true)?,
        },
        DemoFile {
            path: "swag/test.csv".to_owned(),
            text: swag::to_csv(&swag.test, false)?,
        },
    ];
    for file in &glue {
        files.push(DemoFile {
            path: file.path.clone(),
            text: glue::text(file, SEED)?,
        });
    }
    files.extend([
        DemoFile {
            path: "bert-small/vocab.txt".to_owned(),
            text: vocab,
        },
        DemoFile {
            path: "bert-small/config.json".to_owned(),
            text: small_model::config_json(vocab_size)?,
        },
        DemoFile {
            path: "bert-small/tokenizer_config.json".to_owned(),
            text: small_model::tokenizer_config_json()?,
        },
    ]);
    Ok(files)
}

fn passage_texts<'a>(passages: impl Iterator<Item = &'a Passage>) -> impl Iterator<Item = &'a str> {
    passages.flat_map(|passage| {
        let questions = passage.questions.iter().map(|question| &question.text);
        std::iter::once(&passage.context)
            .chain(questions)
            .map(String::as_str)
    })
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

/// Every character of `texts`, separated by blanks.
fn alphabet<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let characters: std::collections::BTreeSet<char> = texts.flat_map(str::chars).collect();
    characters.into_iter().flat_map(|c| [c, ' ']).collect()
}
