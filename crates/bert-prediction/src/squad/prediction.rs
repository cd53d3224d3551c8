//! Every question's answer from the logits of its windows.

use bert_datasets::squad::SquadDataset;
use bert_features::squad::SquadFeatures;
use bert_tokenization::{BertTokenizer, CharSpan};
use rayon::prelude::*;
use serde::{Serialize, Serializer};

use super::{
    SquadPredictionConfig,
    answer_text::detokenize,
    candidate::{AnswerSpan, null_answer, push_spans},
    context_words::ContextWords,
    n_best::n_best,
};
use crate::{PredictionError, SpanEdge};

/// What a model says of one window: logits, one for each of the window's tokens. Logits beyond the window's length
/// belong to padding and are ignored.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowLogits {
    /// How well each token fits as the answer's first.
    pub start: Vec<f32>,
    /// How well each token fits as the answer's last.
    pub end: Vec<f32>,
}

/// The logits of one window without those of its padding.
#[derive(Debug, Clone, Copy)]
pub(super) struct LogitSlices<'a> {
    pub(super) start: &'a [f32],
    pub(super) end: &'a [f32],
}

/// One entry of `nbest_predictions.json`; serialises with the script's keys in its order.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NBestEntry {
    /// The answer as the context writes it, with single spaces between words.
    pub text: String,
    /// Where the answer stands in the context; `None` for the null answer and for "empty". Not part of the file.
    #[serde(skip)]
    pub span: Option<CharSpan>,
    /// Softmax of the scores over the list.
    pub probability: f64,
    /// Raw logit of the first token; written as the double it is in Python.
    #[serde(serialize_with = "as_double")]
    pub start_logit: f32,
    /// Raw logit of the last token; written as the double it is in Python.
    #[serde(serialize_with = "as_double")]
    pub end_logit: f32,
}

impl NBestEntry {
    /// The sum of the two logits.
    #[must_use]
    pub fn score(&self) -> f64 {
        f64::from(self.start_logit) + f64::from(self.end_logit)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn as_double<S: Serializer>(logit: &f32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(f64::from(*logit))
}

/// The answer to one question.
#[derive(Debug, Clone, PartialEq)]
pub struct SquadAnswerPrediction {
    /// The question's id.
    pub id: String,
    /// The predicted answer; the empty text says that the context has none.
    pub text: String,
    /// Where that answer stands in the context.
    pub span: Option<CharSpan>,
    /// The best answers, best first; never empty.
    pub n_best: Vec<NBestEntry>,
    /// SQuAD 2.0 only: the null answer's score minus that of the best span.
    pub score_diff: Option<f64>,
}

impl SquadAnswerPrediction {
    /// The best answer, whether or not the null answer's score is above its.
    #[must_use]
    pub fn best_span(&self) -> &NBestEntry {
        let mut spans = self.n_best.iter().filter(|entry| !entry.text.is_empty());
        spans
            .next()
            .expect("every list has an entry beside the null answer")
    }

    /// Answers anew: with the null answer where its score is above the best span's by more than `threshold`.
    pub fn decide(&mut self, threshold: f64) {
        let (text, span) = match self.score_diff {
            Some(diff) if diff > threshold => (String::new(), None),
            _ => {
                let best = self.best_span();
                (best.text.clone(), best.span)
            }
        };
        (self.text, self.span) = (text, span);
    }
}

/// Predicts the answer to every question of a dataset, in question order and in parallel.
///
/// `features` are the dataset's evaluation features and `logits` is parallel to its windows.
///
/// # Errors
///
/// Fails on settings out of their range, on features of another dataset or tokenizer, on logits that are missing or too
/// short, and on a logit that is not finite. The first question with an error, in question order, decides which.
pub fn predict(
    dataset: &SquadDataset,
    features: &SquadFeatures,
    tokenizer: &BertTokenizer,
    logits: &[WindowLogits],
    config: &SquadPredictionConfig,
) -> Result<Vec<SquadAnswerPrediction>, PredictionError> {
    config.validate()?;
    check_inputs(dataset, features, logits)?;
    let contexts: Vec<Result<ContextWords<'_>, usize>> = dataset
        .contexts
        .par_iter()
        .zip(&features.contexts)
        .map(|(context, tokens)| ContextWords::new(&context.text, tokens, tokenizer))
        .collect();
    let contexts = contexts
        .into_iter()
        .enumerate()
        .map(|(context, words)| {
            words.map_err(|word| PredictionError::ForeignWord { context, word })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let run = Run {
        dataset,
        features,
        tokenizer,
        logits,
        config,
        contexts,
    };
    // Collected before the errors are looked at, so that the first error does not depend on the threads.
    let predictions: Vec<Result<_, _>> = (0..dataset.questions.len())
        .into_par_iter()
        .map(|question| run.predict(question))
        .collect();
    predictions.into_iter().collect()
}

fn check_inputs(
    dataset: &SquadDataset,
    features: &SquadFeatures,
    logits: &[WindowLogits],
) -> Result<(), PredictionError> {
    for (what, expected, found) in [
        ("questions", dataset.questions.len(), features.queries.len()),
        ("contexts", dataset.contexts.len(), features.contexts.len()),
    ] {
        if expected != found {
            return Err(PredictionError::ForeignFeatures {
                what,
                expected,
                found,
            });
        }
    }
    let contexts = dataset.questions.iter().map(|question| question.context);
    for (expected, &found) in contexts.zip(&features.question_contexts) {
        let found = found as usize;
        if expected != found {
            return Err(PredictionError::ForeignFeatures {
                what: "as the context of a question",
                expected,
                found,
            });
        }
    }
    if logits.len() != features.windows.len() {
        return Err(PredictionError::WindowCount {
            expected: features.windows.len(),
            found: logits.len(),
        });
    }
    Ok(())
}

/// What predicting any question needs.
struct Run<'a> {
    dataset: &'a SquadDataset,
    features: &'a SquadFeatures,
    tokenizer: &'a BertTokenizer,
    logits: &'a [WindowLogits],
    config: &'a SquadPredictionConfig,
    contexts: Vec<ContextWords<'a>>,
}

impl Run<'_> {
    fn predict(&self, question: usize) -> Result<SquadAnswerPrediction, PredictionError> {
        let windows = self.features.windows_of(question);
        let mut candidates = Vec::new();
        let mut logits = Vec::with_capacity(windows.len());
        for window in windows {
            let window_logits = self.checked_logits(question, window)?;
            push_spans(
                self.features,
                window,
                window_logits,
                self.config,
                &mut candidates,
            );
            logits.push(window_logits);
        }
        let null = self
            .config
            .version_2_with_negative
            .then(|| null_answer(logits.into_iter()));
        let n_best = n_best(
            candidates,
            null.map(|null| null.candidate),
            self.config.n_best_size,
            |candidate| match candidate.span {
                Some(span) => self
                    .text_of(question, span)
                    .map(|(text, span)| (text, Some(span))),
                None => Ok((String::new(), None)),
            },
        )?;
        let best_span = n_best
            .iter()
            .find(|entry| !entry.text.is_empty())
            .expect("every list has an entry beside the null answer");
        let score_diff = null.map(|null| {
            null.score - f64::from(best_span.start_logit) - f64::from(best_span.end_logit)
        });
        let best = (best_span.text.clone(), best_span.span);
        let mut prediction = SquadAnswerPrediction {
            id: self.dataset.questions[question].id.clone(),
            text: best.0,
            span: best.1,
            n_best,
            score_diff,
        };
        prediction.decide(f64::from(self.config.threshold()));
        Ok(prediction)
    }

    /// A window's logits without their padding.
    fn checked_logits(
        &self,
        question: usize,
        window: usize,
    ) -> Result<LogitSlices<'_>, PredictionError> {
        let length = self.features.len_of(window);
        let checked = |logits: &[f32], edge| {
            let id = || self.dataset.questions[question].id.clone();
            let index = self.features.windows[window].index;
            let Some(logits) = logits.get(..length) else {
                return Err(PredictionError::ShortLogits {
                    question: id(),
                    window: index,
                    edge,
                    expected: length,
                    found: logits.len(),
                });
            };
            match logits.iter().position(|logit| !logit.is_finite()) {
                Some(token) => Err(PredictionError::NonFiniteLogit {
                    question: id(),
                    window: index,
                    edge,
                    token,
                    value: logits[token],
                }),
                None => Ok(()),
            }
        };
        let WindowLogits { start, end } = &self.logits[window];
        checked(start, SpanEdge::Start)?;
        checked(end, SpanEdge::End)?;
        Ok(LogitSlices {
            start: &start[..length],
            end: &end[..length],
        })
    }

    /// A span's text as the context writes it, and where that is.
    fn text_of(
        &self,
        question: usize,
        span: AnswerSpan,
    ) -> Result<(String, CharSpan), PredictionError> {
        let context = self.dataset.questions[question].context;
        let tokens = &self.features.contexts[context];
        let pieces = tokens.ids[span.first..=span.last]
            .iter()
            .map(|&id| {
                self.tokenizer
                    .token(id)
                    .ok_or_else(|| PredictionError::UnknownToken {
                        question: self.dataset.questions[question].id.clone(),
                        id,
                    })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let first = tokens.token_to_word[span.first] as usize;
        let last = tokens.token_to_word[span.last] as usize;
        Ok(self.contexts[context].recover(&detokenize(pieces.into_iter()), first, last))
    }
}
