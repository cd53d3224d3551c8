//! The layout of a SQuAD v1.1 file.

use serde::Serialize;

use super::Passage;
use crate::DemoDataError;

#[derive(Serialize)]
struct File<'a> {
    version: &'static str,
    data: [Article<'a>; 1],
}

#[derive(Serialize)]
struct Article<'a> {
    title: &'static str,
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
    answers: [AnswerJson<'a>; 1],
}

#[derive(Serialize)]
struct AnswerJson<'a> {
    text: &'a str,
    answer_start: usize,
}

/// The file's text: one line, as the official files are, so that it stays small. Ids begin with `prefix`.
///
/// # Errors
///
/// If `serde_json` fails.
pub fn to_json(passages: &[Passage], prefix: &str) -> Result<String, DemoDataError> {
    let paragraphs = passages.iter().enumerate().map(|(index, passage)| {
        let questions = passage.questions.iter().enumerate();
        let qas = questions.map(|(number, question)| {
            let answer = &passage.mentions[question.answer];
            Qa {
                id: format!("{prefix}-{index}-{number}"),
                question: &question.text,
                answers: [AnswerJson {
                    text: &answer.text,
                    answer_start: answer.start,
                }],
            }
        });
        Paragraph {
            context: &passage.context,
            qas: qas.collect(),
        }
    });
    let article = Article {
        title: "Buildings",
        paragraphs: paragraphs.collect(),
    };
    let mut text = serde_json::to_string(&File {
        version: "1.1",
        data: [article],
    })?;
    text.push('\n');
    Ok(text)
}
