//! A question-answering model as the server asks it.

use std::ops::ControlFlow;
use std::sync::Arc;

use bert_corpus::Corpus;
use bert_features::squad::DocStride;
use bert_inference::{InferenceError, QuestionAnswerer, QuestionConfig};
use bert_serve::{
    Answer, Answered, Answerer, ModelInfo, Question, QuestionSettings, Refusal, Source,
};
use bert_tokenization::CharSpan;
use tracing::warn;

use crate::commands::corpus::{self, Reply};

/// The model.
pub(super) struct Questions {
    pub(super) answerer: QuestionAnswerer,
    pub(super) info: ModelInfo,
    /// Where questions without a passage are answered from.
    pub(super) corpus: Option<Arc<Corpus>>,
    /// Passages of it that are read for a question.
    pub(super) max_passages: u16,
}

impl Questions {
    /// Asks a first time: what is made once is made before the first request.
    pub(super) fn warm_up(&self) {
        let question = bert_inference::Question {
            question: "What is it?",
            passage: "It is a sentence.",
        };
        if let Err(error) = self
            .answerer
            .answer(&[question], |_| ControlFlow::Continue(()))
        {
            warn!("the model did not answer a first question: {error}");
        }
    }

    /// The model's configuration with the settings of a question.
    fn config(&self, settings: &QuestionSettings) -> Result<QuestionConfig, Refusal> {
        let mut config = *self.answerer.config();
        let longest = config.features.max_seq_length;
        if let Some(found) = settings.max_length.filter(|found| *found > longest) {
            return Err(Refusal::BadQuestion(format!(
                "Found windows of {found} tokens, expected {longest} at most."
            )));
        }
        let features = &mut config.features;
        features.max_seq_length = settings.max_length.unwrap_or(longest);
        if let Some(overlap) = settings.overlap {
            features.doc_stride = overlap;
            features.doc_stride_is = DocStride::Overlap;
        }
        if let Some(length) = settings.max_question_length {
            features.max_query_length = length;
        }
        if let Some(length) = settings.max_answer_length {
            config.prediction.max_answer_length = length;
        }
        if let Some(no_answer) = settings.no_answer {
            config.prediction.version_2_with_negative = no_answer;
        }
        let checked = config.features.validate();
        let checked = checked.and_then(|()| config.features.validate_for_any_question());
        checked.map_err(|error| {
            Refusal::BadQuestion(format!("These settings do not go together: {error}."))
        })?;
        Ok(config)
    }

    /// Answers questions that have no passage.
    fn answer_from_corpus(&self, questions: &[&Question]) -> Vec<Result<Answered, Refusal>> {
        let asked: Vec<&str> = questions.iter().map(|it| it.question.as_str()).collect();
        let replies = match &self.corpus {
            Some(corpus) => {
                corpus::answer(&self.answerer, corpus, &asked, self.max_passages, |_| {
                    ControlFlow::Continue(())
                })
                .map_err(|error| Refusal::Failed(error.to_string()))
            }
            None => Err(Refusal::Failed("there is no corpus".into())),
        };
        match replies {
            Ok(replies) => replies
                .iter()
                .zip(questions)
                .map(|(reply, question)| Ok(found(reply, question.n_best)))
                .collect(),
            Err(refusal) => vec![Err(refusal); questions.len()],
        }
    }

    /// Answers questions of the same settings, about passages.
    fn answer_alike(
        &self,
        questions: &[&Question],
        settings: &QuestionSettings,
    ) -> Vec<Result<Answered, Refusal>> {
        let config = match self.config(settings) {
            Ok(config) => config,
            Err(refusal) => return vec![Err(refusal); questions.len()],
        };
        let asked: Vec<bert_inference::Question<'_>> = questions
            .iter()
            .map(|question| bert_inference::Question {
                question: &question.question,
                passage: passage(question),
            })
            .collect();
        let answered = self
            .answerer
            .answer_with(&config, &asked, |_| ControlFlow::Continue(()));
        match answered {
            Ok(answered) => questions
                .iter()
                .zip(answered)
                .map(|(question, answered)| match answered {
                    Ok(answered) => self.shown(answered, question),
                    Err(error @ InferenceError::TooLong { .. }) => {
                        Err(Refusal::BadQuestion(error.to_string()))
                    }
                    Err(error) => Err(Refusal::Failed(error.to_string())),
                })
                .collect(),
            // The questions of a batch are asked about together, and fail together.
            Err(error) => vec![Err(Refusal::Failed(error.to_string())); questions.len()],
        }
    }

    fn shown(
        &self,
        answered: bert_inference::Answered,
        question: &Question,
    ) -> Result<Answered, Refusal> {
        let mut answers: Vec<Answer> = answered
            .answers
            .into_iter()
            .map(|answer| Answer {
                text: answer.text,
                start: answer.span.start,
                end: answer.span.end,
                probability: answer.probability,
                source: None,
            })
            .collect();
        if question.settings.whole_words {
            answers = self.widened(answers, passage(question))?;
        }
        answers.truncate(question.n_best);
        Ok(Answered {
            answers,
            no_answer_probability: answered.no_answer_probability,
            windows: answered.windows,
        })
    }

    /// Answers widened to whole words; those that are then one are one, as likely as both.
    fn widened(&self, answers: Vec<Answer>, passage: &str) -> Result<Vec<Answer>, Refusal> {
        let tokenizer = self.answerer.tokenizer();
        let failed =
            |error: bert_tokenization::TokenizationError| Refusal::Failed(error.to_string());
        let tokens = tokenizer.tokenize(passage).map_err(failed)?;
        let pieces: Vec<(CharSpan, bool)> = tokens
            .iter()
            .map(|token| {
                let text = tokenizer.token(token.id);
                (token.span, text.is_some_and(|text| text.starts_with("##")))
            })
            .collect();
        let mut widened: Vec<Answer> = Vec::with_capacity(answers.len());
        for mut answer in answers {
            (answer.start, answer.end) = whole_words(&pieces, answer.start, answer.end);
            let same = |other: &&mut Answer| (other.start, other.end) == (answer.start, answer.end);
            match widened.iter_mut().find(same) {
                Some(other) => {
                    other.probability = (other.probability + answer.probability).min(1.0)
                }
                None => {
                    let characters = passage.chars().skip(answer.start);
                    answer.text = characters.take(answer.end - answer.start).collect();
                    widened.push(answer);
                }
            }
        }
        widened.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        Ok(widened)
    }
}

/// The passage that a question is about; that of a question without one is not asked for.
fn passage(question: &Question) -> &str {
    question.passage.as_deref().unwrap_or_default()
}

/// The answers from a corpus as the server gives them.
fn found(reply: &Reply<'_>, n_best: usize) -> Answered {
    let best = reply.answered.answers.iter().take(n_best);
    let answers = best.map(|(passage, answer)| {
        let place = reply.place(*passage, answer.span);
        let [before, ..] = place.sentence;
        let sentence = place.sentence.concat();
        // White space before a sentence is not part of it, and no answer begins with any.
        let before = before.trim_start().chars().count();
        Answer {
            text: answer.text.clone(),
            start: place.span.start,
            end: place.span.end,
            probability: answer.probability,
            source: Some(Source {
                file: place.file.to_owned(),
                sentence: sentence.trim().to_owned(),
                sentence_start: place.span.start - before,
            }),
        }
    });
    Answered {
        answers: answers.collect(),
        no_answer_probability: reply.answered.no_answer_probability,
        windows: reply.answered.windows,
    }
}

/// A span as far as the words reach that it begins and ends in. A piece goes on the word of the one before it, or begins
/// one.
fn whole_words(pieces: &[(CharSpan, bool)], start: usize, end: usize) -> (usize, usize) {
    let mut first = pieces.partition_point(|(span, _)| span.end <= start);
    while first > 0 && first < pieces.len() && pieces[first].1 {
        first -= 1;
    }
    let mut after = pieces.partition_point(|(span, _)| span.start < end);
    while after > 0 && after < pieces.len() && pieces[after].1 {
        after += 1;
    }
    let begins = pieces.get(first).map_or(start, |(span, _)| span.start);
    let ends = after.checked_sub(1).map_or(end, |last| pieces[last].0.end);
    (start.min(begins), end.max(ends))
}

impl Answerer for Questions {
    fn answer(&mut self, questions: &[Question]) -> Vec<Result<Answered, Refusal>> {
        let mut results: Vec<Option<Result<Answered, Refusal>>> = vec![None; questions.len()];
        // Those of the same settings are read together.
        for (number, question) in questions.iter().enumerate() {
            if results[number].is_some() {
                continue;
            }
            let kind = |it: &Question| (it.settings, it.passage.is_none());
            let alike: Vec<usize> = (number..questions.len())
                .filter(|other| kind(&questions[*other]) == kind(question))
                .collect();
            let asked: Vec<&Question> = alike.iter().map(|other| &questions[*other]).collect();
            let answered = match question.passage {
                Some(_) => self.answer_alike(&asked, &question.settings),
                None => self.answer_from_corpus(&asked),
            };
            for (other, result) in alike.into_iter().zip(answered) {
                results[other] = Some(result);
            }
        }
        results.into_iter().flatten().collect()
    }

    fn model(&self) -> ModelInfo {
        self.info.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_word_becomes_the_word() {
        // "re ##paint ##ed walls": 9 characters, a space, 5.
        let span = |start, end| CharSpan { start, end };
        let pieces = [
            (span(0, 2), false),
            (span(2, 7), true),
            (span(7, 9), true),
            (span(10, 15), false),
        ];
        for ((start, end), expected) in [
            ((2, 7), (0, 9)),
            ((0, 2), (0, 9)),
            ((7, 15), (0, 15)),
            ((10, 15), (10, 15)),
            ((0, 15), (0, 15)),
        ] {
            assert_eq!(whole_words(&pieces, start, end), expected);
        }
        assert_eq!(whole_words(&[], 3, 4), (3, 4));
    }
}
