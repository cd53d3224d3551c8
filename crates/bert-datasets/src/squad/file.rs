//! The layout of a SQuAD file, and its checks.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Unexpected, Visitor};

use super::{SquadAnswer, SquadContext, SquadDataset, SquadQuestion, SquadVersion};
use crate::DatasetError;
use crate::json::{self, Object};

#[derive(Deserialize)]
struct File {
    version: String,
    data: Vec<Object<Article>>,
}

#[derive(Deserialize)]
struct Article {
    #[serde(default)]
    title: String,
    paragraphs: Vec<Object<Paragraph>>,
}

#[derive(Deserialize)]
struct Paragraph {
    context: String,
    qas: Vec<Object<Question>>,
}

#[derive(Deserialize)]
struct Question {
    id: String,
    question: String,
    #[serde(default, deserialize_with = "present")]
    answers: Option<Vec<Object<Answer>>>,
    #[serde(default, deserialize_with = "present")]
    is_impossible: Option<bool>,
}

#[derive(Deserialize)]
struct Answer {
    text: String,
    #[serde(deserialize_with = "character_offset")]
    answer_start: usize,
}

/// A value that may be missing but not null.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

fn character_offset<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    struct Offset;

    impl Visitor<'_> for Offset {
        type Value = usize;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a whole number of characters")
        }

        fn visit_u64<E: Error>(self, value: u64) -> Result<usize, E> {
            usize::try_from(value).map_err(|_| E::invalid_value(Unexpected::Unsigned(value), &self))
        }
    }

    deserializer.deserialize_u64(Offset)
}

/// Where a question stands in the file.
#[derive(Clone, Copy)]
struct Place {
    article: usize,
    paragraph: usize,
    question: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            article,
            paragraph,
            question,
        } = self;
        write!(
            formatter,
            "data[{article}].paragraphs[{paragraph}].qas[{question}]"
        )
    }
}

pub(super) fn parse(name: &Path, text: &str) -> Result<SquadDataset, DatasetError> {
    let Object(file): Object<File> = json::parse(name, text, "a SQuAD JSON object")?;
    let version = match file.version.as_str() {
        "1.1" | "v1.1" => SquadVersion::V1_1,
        "2.0" | "v2.0" => SquadVersion::V2_0,
        _ => {
            return Err(DatasetError::Version {
                path: name.to_owned(),
                found: file.version,
            });
        }
    };
    let mut contexts = Vec::new();
    let mut questions = Vec::new();
    let mut places = Vec::new();
    for (article, Object(Article { title, paragraphs })) in file.data.into_iter().enumerate() {
        let title: Arc<str> = title.into();
        for (paragraph, Object(Paragraph { context, qas })) in paragraphs.into_iter().enumerate() {
            let length = context.chars().count();
            for (question, Object(qa)) in qas.into_iter().enumerate() {
                let place = Place {
                    article,
                    paragraph,
                    question,
                };
                questions.push(check(name, version, place, qa, contexts.len(), length)?);
                places.push(place);
            }
            contexts.push(SquadContext {
                title: Arc::clone(&title),
                text: context,
            });
        }
    }
    if questions.is_empty() {
        return Err(DatasetError::NoQuestions {
            path: name.to_owned(),
        });
    }
    check_ids(name, &questions, &places)?;
    Ok(SquadDataset {
        version,
        contexts,
        questions,
    })
}

/// Checks one question of a context of `length` characters.
fn check(
    name: &Path,
    version: SquadVersion,
    place: Place,
    qa: Question,
    context: usize,
    length: usize,
) -> Result<SquadQuestion, DatasetError> {
    let path = || name.to_owned();
    let is_labelled = match (version, &qa.answers) {
        (_, None) => qa.is_impossible == Some(true),
        (SquadVersion::V1_1, Some(answers)) => !answers.is_empty(),
        (SquadVersion::V2_0, Some(_)) => true,
    };
    let is_impossible = match (version, qa.is_impossible) {
        (SquadVersion::V1_1, Some(true)) => {
            return Err(DatasetError::ImpossibleQuestion {
                path: path(),
                at: place.to_string(),
                version,
            });
        }
        (SquadVersion::V1_1, _) => false,
        (SquadVersion::V2_0, Some(is_impossible)) => is_impossible,
        (SquadVersion::V2_0, None) if !is_labelled => false,
        (SquadVersion::V2_0, None) => {
            return Err(DatasetError::MissingIsImpossible {
                path: path(),
                at: place.to_string(),
            });
        }
    };
    let gold = qa.answers.unwrap_or_default();
    let mut answers = Vec::with_capacity(gold.len());
    for (index, Object(answer)) in gold.into_iter().enumerate() {
        if answer.answer_start >= length {
            return Err(DatasetError::AnswerStart {
                path: path(),
                at: format!("{place}.answers[{index}]"),
                found: answer.answer_start,
                length,
            });
        }
        answers.push(SquadAnswer {
            text: answer.text,
            start: answer.answer_start,
        });
    }
    Ok(SquadQuestion {
        id: qa.id,
        text: qa.question,
        context,
        is_labelled,
        is_impossible,
        answers,
    })
}

fn check_ids(
    name: &Path,
    questions: &[SquadQuestion],
    places: &[Place],
) -> Result<(), DatasetError> {
    let mut first = HashMap::with_capacity(questions.len());
    for (question, place) in questions.iter().zip(places) {
        if let Some(first) = first.insert(question.id.as_str(), place) {
            return Err(DatasetError::DuplicateId {
                path: name.to_owned(),
                id: question.id.clone(),
                first: first.to_string(),
                second: place.to_string(),
            });
        }
    }
    Ok(())
}
