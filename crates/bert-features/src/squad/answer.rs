//! Gold answers as token spans.

use bert_datasets::squad::SquadAnswer;
use bert_tokenization::{BertTokenizer, CharSpan, TokenizationError};

use super::ContextTokens;
use crate::window::TokenSpan;

/// The tokens of an answer, tightened to the shortest span whose tokens are the answer's own; `None` where the
/// context's words from `answer_start` on do not hold the answer's text, or where that text is white space.
pub(super) fn locate(
    answer: &SquadAnswer,
    text: &str,
    context: &ContextTokens,
    tokenizer: &BertTokenizer,
) -> Result<Option<TokenSpan>, TokenizationError> {
    let Some((first, last)) = words(answer, text, context) else {
        return Ok(None);
    };
    let span = context.tokens_of(first, last);
    if span.is_empty() {
        return Ok(None);
    }
    let answer_ids: Vec<u32> = tokenizer
        .tokenize(&answer.text)?
        .iter()
        .map(|token| token.id)
        .collect();
    Ok(Some(tighten(span, &context.ids, &answer_ids)))
}

/// The first and last word of an answer.
fn words(answer: &SquadAnswer, text: &str, context: &ContextTokens) -> Option<(usize, usize)> {
    let length = answer.text.chars().count();
    let (first_char, last_char) = (answer.start, (answer.start + length).checked_sub(1)?);
    let (first, last) = (context.word_at(first_char)?, context.word_at(last_char)?);
    if length == 0 || text.chars().nth(last_char).is_none() {
        return None;
    }
    let found: Vec<&str> = context.words[first..=last]
        .iter()
        .map(|&word| slice(text, word))
        .collect();
    let expected: Vec<&str> = answer
        .text
        .split(is_python_space)
        .filter(|word| !word.is_empty())
        .collect();
    // The 2018 script finds the empty text anywhere and trains on an answer of white space; here such an answer is
    // left out.
    if expected.is_empty() {
        return None;
    }
    // As in the 2018 script, the answer is cut at all of Unicode's white space and the context only at SQuAD's.
    found
        .join(" ")
        .contains(&expected.join(" "))
        .then_some((first, last))
}

/// White space as Python's `str.split` knows it.
fn is_python_space(value: char) -> bool {
    value.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&value)
}

fn slice(text: &str, span: CharSpan) -> &str {
    let byte = |char: usize| {
        text.char_indices()
            .nth(char)
            .map_or(text.len(), |(byte, _)| byte)
    };
    &text[byte(span.start)..byte(span.end)]
}

/// The first stretch inside `span` that is exactly the answer's tokens, or `span` itself where there is none: an answer
/// of "1895" in the word "(1895-1943)" is one token of six.
fn tighten(span: TokenSpan, ids: &[u32], answer: &[u32]) -> TokenSpan {
    let found = (!answer.is_empty())
        .then(|| {
            ids[span.start..span.end]
                .windows(answer.len())
                .position(|window| window == answer)
        })
        .flatten();
    match found {
        Some(offset) => {
            let start = span.start + offset;
            TokenSpan {
                start,
                end: start + answer.len(),
            }
        }
        None => span,
    }
}
