//! The documents that `ask` and `serve` look for answers in.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use bert_corpus::{Corpus, Document, Passage, Sentences, read_folder};
use bert_inference::{AnsweredAmong, Question, QuestionAnswerer, among};
use bert_tokenization::CharSpan;
use tracing::{info, warn};

/// The documents below a folder, each named by `name`; what is left out is told.
///
/// # Errors
/// When the folder cannot be listed, or has no document.
pub(crate) fn folder(dir: &Path, name: impl Fn(&Path) -> String) -> anyhow::Result<Vec<Document>> {
    let found = read_folder(dir)?;
    for error in &found.unreadable {
        warn!("left out: {error}");
    }
    if found.hidden + found.others > 0 {
        info!(
            "{}: left out {} hidden and {} that are not .txt or .md",
            dir.display(),
            found.hidden,
            found.others
        );
    }
    let documents = found.documents.into_iter();
    Ok(documents
        .map(|(path, text)| Document {
            name: name(&path),
            text,
        })
        .collect())
}

/// Cuts documents into passages and makes their index.
///
/// # Errors
/// When the index cannot be made.
pub(crate) fn index(documents: Vec<Document>) -> anyhow::Result<Corpus> {
    let started = Instant::now();
    let corpus = Corpus::new(documents)?;
    info!(
        "{} passages of {} documents, indexed in {:.2} s",
        corpus.passages().len(),
        corpus.documents().len(),
        started.elapsed().as_secs_f64()
    );
    Ok(corpus)
}

/// What a model says to a question about a corpus.
pub(crate) struct Reply<'a> {
    corpus: &'a Corpus,
    /// The passages that were read.
    pub(crate) passages: Vec<&'a Passage>,
    /// The answers, each with the number of its passage.
    pub(crate) answered: AnsweredAmong,
}

/// Where an answer stands in its document.
pub(crate) struct Place<'a> {
    pub(crate) file: &'a str,
    /// In Unicode scalars of the document.
    pub(crate) span: CharSpan,
    /// The sentence before the answer, the answer, and the sentence after it.
    pub(crate) sentence: [&'a str; 3],
}

impl<'a> Reply<'a> {
    /// Where the answer of a passage stands.
    pub(crate) fn place(&self, passage: usize, span: CharSpan) -> Place<'a> {
        let passage = self.passages[passage];
        Place {
            file: &self.corpus.document(passage).name,
            span: CharSpan {
                start: passage.first_char + span.start,
                end: passage.first_char + span.end,
            },
            sentence: Sentences::of(self.corpus.text(passage)).around(span),
        }
    }
}

/// Answers questions from the passages of a corpus that BM25 ranks first, their windows in batches together.
///
/// # Errors
/// When the index or the device fails, or the work is stopped.
pub(crate) fn answer<'a>(
    answerer: &QuestionAnswerer,
    corpus: &'a Corpus,
    questions: &[&str],
    max_passages: u16,
    progress: impl FnMut(usize) -> ControlFlow<()> + Send,
) -> anyhow::Result<Vec<Reply<'a>>> {
    // A passage has the length that it was cut to.
    let mut config = *answerer.config();
    config.max_windows = None;
    let best = questions
        .iter()
        .map(|question| corpus.best(question, max_passages.into()));
    let best: Vec<Vec<&Passage>> = best.collect::<Result<_, _>>()?;
    let asked = questions
        .iter()
        .zip(&best)
        .flat_map(|(question, passages)| {
            passages.iter().map(|passage| Question {
                question,
                passage: corpus.text(passage),
            })
        });
    let asked: Vec<_> = asked.collect();
    let mut answered = answerer.answer_with(&config, &asked, progress)?.into_iter();
    let replies = best.into_iter().map(|passages| {
        let of_question: Result<_, _> = answered.by_ref().take(passages.len()).collect();
        Ok(Reply {
            corpus,
            passages,
            answered: among(of_question?, &config.prediction),
        })
    });
    replies.collect()
}
