//! `ask`: the answers to questions about a text.

use std::io::IsTerminal;

use bert_inference::{Answer, Answered, Question, QuestionAnswerer, Sentences};
use serde_json::{Value, json};

use super::inference::{on_one_line, open, printable, question_config, unless_interrupted};
use super::texts;
use crate::args::AskArgs;
use crate::exit::bad_usage;
use crate::terminal::{self, has_colours};

/// Bold and underlined, and neither.
const EMPHASIS: (&str, &str) = ("\u{1b}[1;4m", "\u{1b}[0m");

/// Prints the answer to each question.
///
/// # Errors
/// When an input is bad, the head is untrained, or the device fails.
pub(crate) fn run(args: &AskArgs) -> anyhow::Result<()> {
    if let Some(number) = args.questions.iter().position(|q| q.trim().is_empty()) {
        bad_usage!(
            "question {}: found no words, expected a question",
            number + 1
        );
    }
    let passage = texts::context(&args.context)?;
    let opened = open(&args.model, &args.device)?;
    let config = question_config(&opened.dir, &args.answers, None)?;
    let device = &opened.backend.device;
    let answerer = QuestionAnswerer::load(&opened.dir, device, opened.config, config)?;
    let questions: Vec<Question<'_>> = args
        .questions
        .iter()
        .map(|question| Question {
            question,
            passage: &passage,
        })
        .collect();
    let answered = answerer.answer(&questions, unless_interrupted)?;
    let sentences = Sentences::of(&passage);
    let colours = has_colours(&std::io::stdout());
    for (number, (question, answered)) in questions.iter().zip(answered).enumerate() {
        let answered = answered?;
        let n_best = usize::from(args.n_best);
        if terminal::json() {
            let line = as_json(question.question, &answered, &sentences, n_best);
            terminal::line(&line.to_string())?;
            continue;
        }
        if number > 0 {
            terminal::line("")?;
        }
        if questions.len() > 1 || std::io::stdout().is_terminal() {
            terminal::line(&printable(&on_one_line(question.question)))?;
        }
        for line in as_text(&answered, &sentences, n_best, colours) {
            terminal::line(&line)?;
        }
    }
    Ok(())
}

fn as_text(
    answered: &Answered,
    sentences: &Sentences<'_>,
    n_best: usize,
    colours: bool,
) -> Vec<String> {
    let mut lines = Vec::new();
    if answered.no_answer {
        let probability = answered.no_answer_probability.unwrap_or(0.0);
        lines.push(format!("(no answer in the text)  {}", percent(probability)));
    } else if answered.answers.is_empty() {
        lines.push("(no answer in the text)".to_owned());
    }
    let shown = if answered.no_answer {
        n_best - 1
    } else {
        n_best
    };
    for answer in answered.answers.iter().take(shown) {
        let text = printable(&on_one_line(&answer.text));
        lines.push(format!("{text}  {}", percent(answer.probability)));
        let [before, inside, after] = sentences
            .around(answer.span)
            .map(|part| printable(&spaced(part)));
        let (on, off) = if colours { EMPHASIS } else { ("", "") };
        let sentence = format!("{before}{on}{inside}{off}{after}");
        lines.push(format!("  {}", sentence.trim()));
    }
    lines
}

/// White space of any kind as one space each, also at the ends.
fn spaced(text: &str) -> String {
    let inner = on_one_line(text);
    let edge = |c: Option<char>| match c {
        Some(c) if c.is_whitespace() && !inner.is_empty() => " ",
        _ => "",
    };
    format!(
        "{}{inner}{}",
        edge(text.chars().next()),
        edge(text.chars().next_back())
    )
}

fn percent(probability: f64) -> String {
    format!("({:.1} %)", 100.0 * probability)
}

fn as_json(question: &str, answered: &Answered, sentences: &Sentences<'_>, n_best: usize) -> Value {
    let entry = |answer: &Answer| {
        json!({
            "text": answer.text,
            "start": answer.span.start,
            "end": answer.span.end,
            "probability": answer.probability,
            "sentence": sentences.around(answer.span).concat().trim(),
        })
    };
    let best = answered.answers.first().filter(|_| !answered.no_answer);
    let n_best: Vec<Value> = answered.answers.iter().take(n_best).map(entry).collect();
    json!({
        "question": question,
        "answer": best.map(|answer| &answer.text),
        "probability": match best {
            Some(best) => Some(best.probability),
            None => answered.no_answer_probability,
        },
        "sentence": best.map(|answer| sentences.around(answer.span).concat().trim().to_owned()),
        "start": best.map(|answer| answer.span.start),
        "end": best.map(|answer| answer.span.end),
        "no_answer_probability": answered.no_answer_probability,
        "windows": answered.windows,
        "n_best": n_best,
    })
}

#[cfg(test)]
mod tests {
    use bert_tokenization::CharSpan;

    use super::*;

    fn answer(text: &str, part: &str) -> Answer {
        let start = text[..text.find(part).unwrap()].chars().count();
        Answer {
            text: part.to_owned(),
            span: CharSpan {
                start,
                end: start + part.chars().count(),
            },
            probability: 0.5,
        }
    }

    #[test]
    fn a_terminal_is_not_obeyed_by_texts() {
        let text = "Up \u{1b}[31mred\u{7} here.";
        let answered = Answered {
            answers: vec![answer(text, "\u{1b}[31mred\u{7}")],
            no_answer_probability: None,
            no_answer: false,
            windows: 1,
        };
        let lines = as_text(&answered, &Sentences::of(text), 1, false);
        assert_eq!(lines[0], "\u{fffd}[31mred\u{fffd}  (50.0 %)");
        assert_eq!(lines[1], "  Up \u{fffd}[31mred\u{fffd} here.");
    }
}
