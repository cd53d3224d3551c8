//! `ask`: the answers to questions about a text or a folder of documents.

use std::io::IsTerminal;

use bert_corpus::Sentences;
use bert_inference::{Answered, Question, QuestionAnswerer};
use bert_tokenization::CharSpan;
use serde_json::{Value, json};

use super::corpus::{self, Reply};
use super::inference::{on_one_line, open, printable, question_config, unless_interrupted};
use super::texts::{self, Context};
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
    let context = texts::documents(&args.documents)?;
    let opened = open(&args.model, &args.device)?;
    let config = question_config(&opened.dir, &args.answers, None)?;
    let device = &opened.backend.device;
    let answerer = QuestionAnswerer::load(&opened.dir, device, opened.config, config)?;
    let questions: Vec<&str> = args.questions.iter().map(String::as_str).collect();
    match context {
        Context::Text(text) => {
            let sentences = Sentences::of(&text);
            let asked = questions.iter().map(|question| Question {
                question,
                passage: &text,
            });
            let asked: Vec<_> = asked.collect();
            let answered = answerer.answer(&asked, unless_interrupted)?;
            let shown = answered
                .into_iter()
                .map(|answered| Ok(Shown::of_text(answered?, &sentences)));
            print(args, shown)
        }
        Context::Documents(documents) => {
            let corpus = corpus::index(documents)?;
            let most = args.documents.reading.max_passages;
            let replies = corpus::answer(&answerer, &corpus, &questions, most, unless_interrupted)?;
            print(args, replies.into_iter().map(|it| Ok(Shown::of_reply(it))))
        }
    }
}

/// Prints what was answered to each question.
fn print<'a>(
    args: &AskArgs,
    shown: impl Iterator<Item = anyhow::Result<Shown<'a>>>,
) -> anyhow::Result<()> {
    let colours = has_colours(&std::io::stdout());
    let n_best = usize::from(args.n_best);
    for (number, (question, shown)) in args.questions.iter().zip(shown).enumerate() {
        let shown = shown?;
        if terminal::json() {
            terminal::line(&shown.as_json(question, n_best).to_string())?;
            continue;
        }
        if number > 0 {
            terminal::line("")?;
        }
        if args.questions.len() > 1 || std::io::stdout().is_terminal() {
            terminal::line(&printable(&on_one_line(question)))?;
        }
        for line in shown.as_text(n_best, colours) {
            terminal::line(&line)?;
        }
    }
    Ok(())
}

/// What was answered to a question, as it is printed.
struct Shown<'a> {
    answers: Vec<ShownAnswer<'a>>,
    no_answer_probability: Option<f64>,
    no_answer: bool,
    windows: usize,
    /// Passages that were read of several documents.
    passages: Option<usize>,
}

struct ShownAnswer<'a> {
    text: String,
    probability: f64,
    span: CharSpan,
    sentence: [&'a str; 3],
    /// The document, where there are several.
    file: Option<&'a str>,
}

impl<'a> Shown<'a> {
    fn of_text(answered: Answered, sentences: &Sentences<'a>) -> Self {
        let answers = answered.answers.into_iter().map(|answer| ShownAnswer {
            sentence: sentences.around(answer.span),
            text: answer.text,
            probability: answer.probability,
            span: answer.span,
            file: None,
        });
        Self {
            answers: answers.collect(),
            no_answer_probability: answered.no_answer_probability,
            no_answer: answered.no_answer,
            windows: answered.windows,
            passages: None,
        }
    }

    fn of_reply(reply: Reply<'a>) -> Self {
        let answers = reply.answered.answers.iter().map(|(passage, answer)| {
            let place = reply.place(*passage, answer.span);
            ShownAnswer {
                text: answer.text.clone(),
                probability: answer.probability,
                span: place.span,
                sentence: place.sentence,
                file: Some(place.file),
            }
        });
        Self {
            answers: answers.collect(),
            no_answer_probability: reply.answered.no_answer_probability,
            no_answer: reply.answered.no_answer,
            windows: reply.answered.windows,
            passages: Some(reply.passages.len()),
        }
    }

    fn as_text(&self, n_best: usize, colours: bool) -> Vec<String> {
        let mut lines = Vec::new();
        let nowhere = match self.passages {
            Some(_) => "(no answer in the passages that were read)",
            None => "(no answer in the text)",
        };
        if self.no_answer {
            let probability = self.no_answer_probability.unwrap_or(0.0);
            lines.push(format!("{nowhere}  {}", percent(probability)));
        } else if self.answers.is_empty() {
            lines.push(nowhere.to_owned());
        }
        let shown = if self.no_answer { n_best - 1 } else { n_best };
        for answer in self.answers.iter().take(shown) {
            let text = printable(&on_one_line(&answer.text));
            let chance = percent(answer.probability);
            lines.push(match answer.file {
                Some(file) => format!("{text}  {chance}  {}", printable(&on_one_line(file))),
                None => format!("{text}  {chance}"),
            });
            let [before, inside, after] = answer.sentence.map(|part| printable(&spaced(part)));
            let (on, off) = if colours { EMPHASIS } else { ("", "") };
            let sentence = format!("{before}{on}{inside}{off}{after}");
            lines.push(format!("  {}", sentence.trim()));
        }
        lines
    }

    fn as_json(&self, question: &str, n_best: usize) -> Value {
        let best = self.answers.first().filter(|_| !self.no_answer);
        let n_best = self.answers.iter().take(n_best).map(ShownAnswer::as_json);
        let mut line = json!({
            "question": question,
            "answer": best.map(|answer| &answer.text),
            "probability": match best {
                Some(best) => Some(best.probability),
                None => self.no_answer_probability,
            },
            "sentence": best.map(ShownAnswer::whole_sentence),
            "start": best.map(|answer| answer.span.start),
            "end": best.map(|answer| answer.span.end),
            "no_answer_probability": self.no_answer_probability,
            "windows": self.windows,
            "n_best": n_best.collect::<Vec<_>>(),
        });
        if let Some(passages) = self.passages {
            line["file"] = json!(best.and_then(|answer| answer.file));
            line["passages"] = json!(passages);
        }
        line
    }
}

impl ShownAnswer<'_> {
    fn whole_sentence(&self) -> String {
        self.sentence.concat().trim().to_owned()
    }

    fn as_json(&self) -> Value {
        let mut entry = json!({
            "text": self.text,
            "start": self.span.start,
            "end": self.span.end,
            "probability": self.probability,
            "sentence": self.whole_sentence(),
        });
        if let Some(file) = self.file {
            entry["file"] = json!(file);
        }
        entry
    }
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

#[cfg(test)]
mod tests {
    use bert_inference::Answer;

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
            score: 0.0,
        }
    }

    #[test]
    fn a_terminal_is_not_obeyed_by_texts() {
        let text = "Up \u{1b}[31mred\u{7} here.";
        let answered = Answered {
            answers: vec![answer(text, "\u{1b}[31mred\u{7}")],
            no_answer_probability: None,
            no_answer_score: None,
            no_answer: false,
            windows: 1,
        };
        let shown = Shown::of_text(answered, &Sentences::of(text));
        let lines = shown.as_text(1, false);
        assert_eq!(lines[0], "\u{fffd}[31mred\u{fffd}  (50.0 %)");
        assert_eq!(lines[1], "  Up \u{fffd}[31mred\u{fffd} here.");
    }
}
