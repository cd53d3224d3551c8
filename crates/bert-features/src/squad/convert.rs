//! A dataset into windows.

use bert_datasets::squad::{SquadDataset, SquadQuestion};
use bert_tokenization::{BertTokenizer, TokenizationError};
use rayon::prelude::*;

use super::{
    AnswerPositions, ContextTokens, SquadFeatureConfig, SquadFeatures, SquadMode, SquadSkips,
    SquadWindow, TokenSpan, answer, windows,
};
use crate::FeatureError;

pub(super) fn convert(
    dataset: &SquadDataset,
    tokenizer: &BertTokenizer,
    config: &SquadFeatureConfig,
    mode: SquadMode,
) -> Result<SquadFeatures, FeatureError> {
    config.validate()?;
    let contexts: Vec<ContextTokens> = dataset
        .contexts
        .par_iter()
        .map(|context| ContextTokens::new(&context.text, tokenizer))
        .collect::<Result<_, _>>()?;
    let queries: Vec<Vec<u32>> = dataset
        .questions
        .par_iter()
        .map(|question| query(question, tokenizer, config))
        .collect::<Result<_, _>>()?;
    let targets: Vec<Target> = match mode {
        SquadMode::Evaluation => vec![Target::None; dataset.questions.len()],
        SquadMode::Training => dataset
            .questions
            .par_iter()
            .map(|question| target(question, dataset, &contexts, tokenizer))
            .collect::<Result<_, _>>()?,
    };
    let mut features = SquadFeatures {
        config: *config,
        contexts,
        queries,
        question_contexts: dataset
            .questions
            .iter()
            .map(|question| index(question.context))
            .collect(),
        windows: Vec::with_capacity(dataset.questions.len()),
        cls_id: tokenizer.cls_id(),
        sep_id: tokenizer.sep_id(),
        skipped: SquadSkips::default(),
    };
    for (position, (question, target)) in dataset.questions.iter().zip(targets).enumerate() {
        if mode == SquadMode::Training && !question.is_impossible {
            features.skipped.extra_answers_ignored += question.answers.len().saturating_sub(1);
        }
        push_windows(&mut features, position, question, target);
    }
    Ok(features)
}

/// What a question's windows are to be labelled with.
#[derive(Clone, Copy)]
enum Target {
    /// Nothing: evaluation.
    None,
    /// The null answer.
    Impossible,
    /// These tokens of the context.
    Span(TokenSpan),
    /// An answer that is not in the context.
    NotFound,
}

fn query(
    question: &SquadQuestion,
    tokenizer: &BertTokenizer,
    config: &SquadFeatureConfig,
) -> Result<Vec<u32>, FeatureError> {
    let tokens = tokenizer.tokenize(&question.text)?;
    let query: Vec<u32> = tokens
        .iter()
        .take(config.max_query_length)
        .map(|token| token.id)
        .collect();
    if query.len() + super::SPECIAL_TOKENS < config.max_seq_length {
        return Ok(query);
    }
    Err(FeatureError::NoRoomForContext {
        max_seq_length: config.max_seq_length,
        id: question.id.clone(),
        query: query.len(),
    })
}

fn target(
    question: &SquadQuestion,
    dataset: &SquadDataset,
    contexts: &[ContextTokens],
    tokenizer: &BertTokenizer,
) -> Result<Target, FeatureError> {
    if question.is_impossible {
        return Ok(Target::Impossible);
    }
    let Some(answer) = question.answers.first() else {
        return Err(FeatureError::NoAnswer {
            id: question.id.clone(),
        });
    };
    let text = &dataset.contexts[question.context].text;
    let located: Result<_, TokenizationError> =
        answer::locate(answer, text, &contexts[question.context], tokenizer);
    Ok(located?.map_or(Target::NotFound, Target::Span))
}

/// Appends the windows of one question, or counts why it has none.
fn push_windows(
    features: &mut SquadFeatures,
    position: usize,
    question: &SquadQuestion,
    target: Target,
) {
    if matches!(target, Target::NotFound) {
        features.skipped.answers_not_found.push(question.id.clone());
        return;
    }
    let query = features.queries[position].len();
    let tokens = features.contexts[question.context].ids.len();
    let before = features.windows.len();
    for (number, span) in windows(tokens, query, &features.config).iter().enumerate() {
        let answer = match target {
            Target::Impossible => Some(AnswerPositions { start: 0, end: 0 }),
            // The 2018 script compared word positions with these token positions.
            Target::Span(tokens) if span.contains(tokens) => {
                let input = |token: usize| index(token - span.start + query + 2);
                Some(AnswerPositions {
                    start: input(tokens.start),
                    end: input(tokens.end - 1),
                })
            }
            Target::Span(_) => {
                features.skipped.windows_without_answer += 1;
                continue;
            }
            Target::None | Target::NotFound => None,
        };
        features.windows.push(SquadWindow {
            question: index(position),
            index: index(number),
            span,
            answer,
        });
    }
    if features.windows.len() == before {
        features
            .skipped
            .answers_in_no_window
            .push(question.id.clone());
    }
}

fn index(value: usize) -> u32 {
    u32::try_from(value).expect("files of four billion entries do not fit in memory")
}
