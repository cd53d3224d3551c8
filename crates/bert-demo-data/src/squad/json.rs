//! The layout of a SQuAD v1.1 file.

use serde::Serialize;

use super::Passage;
use crate::{DemoDataError, Split};

#[derive(Serialize)]
struct File<'a> {
    version: &'static str,
    data: Vec<Article<'a>>,
}

#[derive(Serialize)]
struct Article<'a> {
    title: &'a str,
    paragraphs: Vec<Paragraph<'a>>,
}

#[derive(Serialize)]
struct Paragraph<'a> {
    context: &'a str,
    qas: Vec<Qa<'a>>,
}

#[derive(Serialize)]
struct Qa<'a> {
    id: String,
    question: &'a str,
    answers: Vec<AnswerJson<'a>>,
}

#[derive(Serialize)]
struct AnswerJson<'a> {
    text: &'a str,
    answer_start: usize,
}

/// The file's text: one line, as the official files are, so that it stays small.
///
/// # Errors
///
/// If `serde_json` fails.
pub fn to_json(passages: &[Passage], split: Split) -> Result<String, DemoDataError> {
    let prefix = match split {
        Split::Train => "train",
        Split::Dev => "dev",
    };
    let mut data: Vec<Article<'_>> = Vec::new();
    for (index, passage) in passages.iter().enumerate() {
        let qas = passage
            .questions
            .iter()
            .enumerate()
            .map(|(number, question)| Qa {
                id: format!("{prefix}-{index}-{number}"),
                question: &question.text,
                answers: question
                    .answers
                    .iter()
                    .map(|answer| AnswerJson {
                        text: &answer.text,
                        answer_start: answer.start,
                    })
                    .collect(),
            });
        let paragraph = Paragraph {
            context: &passage.context,
            qas: qas.collect(),
        };
        match data.last_mut() {
            Some(article) if article.title == passage.domain => article.paragraphs.push(paragraph),
            _ => data.push(Article {
                title: &passage.domain,
                paragraphs: vec![paragraph],
            }),
        }
    }
    let mut text = serde_json::to_string(&File {
        version: "1.1",
        data,
    })?;
    text.push('\n');
    Ok(text)
}
