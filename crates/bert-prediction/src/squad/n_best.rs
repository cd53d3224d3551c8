//! The n-best list of a question.

use std::cmp::Ordering;

use bert_tokenization::CharSpan;

use super::{NBestEntry, candidate::Candidate};
use crate::softmax::softmax;

/// What the list of a question holds that has no valid span, as the script words it.
const NO_SPAN_TEXT: &str = "empty";

/// The best `n_best_size` candidates with different texts, best first, with their probabilities.
///
/// Candidates with equal scores keep their order. With a null answer the list holds the empty text too, at its rank or
/// at the end. A list without a span gets the entry "empty".
///
/// # Errors
///
/// Fails where `text_of` does.
pub(super) fn n_best<E>(
    mut candidates: Vec<Candidate>,
    null: Option<Candidate>,
    n_best_size: usize,
    mut text_of: impl FnMut(&Candidate) -> Result<(String, Option<CharSpan>), E>,
) -> Result<Vec<NBestEntry>, E> {
    candidates.extend(null);
    candidates.sort_by(|a, b| b.score().partial_cmp(&a.score()).unwrap_or(Ordering::Equal));
    let mut entries: Vec<NBestEntry> = Vec::with_capacity(n_best_size.min(candidates.len()) + 1);
    for candidate in &candidates {
        if entries.len() >= n_best_size {
            break;
        }
        let (text, span) = text_of(candidate)?;
        if entries.iter().all(|entry| entry.text != text) {
            entries.push(NBestEntry {
                span,
                ..entry(text, candidate.start_logit, candidate.end_logit)
            });
        }
    }
    if let Some(null) = null {
        if entries.iter().all(|entry| !entry.text.is_empty()) {
            entries.push(entry(String::new(), null.start_logit, null.end_logit));
        }
        if entries.len() == 1 {
            entries.insert(0, entry(NO_SPAN_TEXT.to_owned(), 0.0, 0.0));
        }
    }
    if entries.is_empty() {
        entries.push(entry(NO_SPAN_TEXT.to_owned(), 0.0, 0.0));
    }
    fill_probabilities(&mut entries);
    Ok(entries)
}

fn entry(text: String, start_logit: f32, end_logit: f32) -> NBestEntry {
    NBestEntry {
        text,
        span: None,
        probability: 0.0,
        start_logit,
        end_logit,
    }
}

/// The softmax of the entries' scores.
fn fill_probabilities(entries: &mut [NBestEntry]) {
    let probabilities = softmax(entries.iter().map(NBestEntry::score));
    for (entry, probability) in entries.iter_mut().zip(probabilities) {
        entry.probability = probability;
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::squad::candidate::AnswerSpan;

    fn span(first: usize, start_logit: f32, end_logit: f32) -> Candidate {
        Candidate {
            span: Some(AnswerSpan { first, last: first }),
            start_logit,
            end_logit,
        }
    }

    fn null(start_logit: f32, end_logit: f32) -> Candidate {
        Candidate {
            span: None,
            start_logit,
            end_logit,
        }
    }

    /// Texts by `first`; tokens 0 and 1 have the same text.
    fn list(candidates: Vec<Candidate>, null: Option<Candidate>, n: usize) -> Vec<NBestEntry> {
        let texts = ["same", "same", "two", "three"];
        n_best(candidates, null, n, |candidate| {
            let text = candidate.span.map_or("", |span| texts[span.first]);
            Ok::<_, Infallible>((text.to_owned(), None))
        })
        .unwrap()
    }

    fn texts(entries: &[NBestEntry]) -> Vec<&str> {
        entries.iter().map(|entry| entry.text.as_str()).collect()
    }

    #[test]
    fn texts_are_ranked_and_occur_once() {
        let candidates = vec![
            span(0, 1.0, 1.0),
            span(2, 3.0, 0.0),
            span(1, 2.0, 2.0),
            span(3, 1.0, 1.0),
        ];
        let entries = list(candidates.clone(), None, 20);
        assert_eq!(texts(&entries), ["same", "two", "three"]);
        assert_eq!(entries[0].start_logit, 2.0);
        assert_eq!(texts(&list(candidates, None, 2)), ["same", "two"]);
    }

    #[test]
    fn ties_keep_the_order_of_generation() {
        let entries = list(
            vec![span(3, 0.0, 1.0), span(2, 1.0, 0.0), span(0, 0.5, 0.5)],
            None,
            20,
        );
        assert_eq!(texts(&entries), ["three", "two", "same"]);
    }

    #[test]
    fn scores_are_compared_as_doubles() {
        // As singles both sums would be 16777216.
        let entries = list(
            vec![span(2, 16_777_216.0, 0.25), span(3, 16_777_216.0, 0.5)],
            None,
            20,
        );
        assert_eq!(texts(&entries), ["three", "two"]);
    }

    #[test]
    fn probabilities_are_a_softmax() {
        let entries = list(vec![span(2, 0.0, 0.0), span(3, 1.0, 2.0)], None, 20);
        let e3 = 3.0_f64.exp();
        assert!((entries[0].probability - e3 / (1.0 + e3)).abs() < 1e-15);
        assert!((entries[1].probability - 1.0 / (1.0 + e3)).abs() < 1e-15);
        let huge = list(vec![span(2, 3e38, 3e38), span(3, -3e38, -3e38)], None, 20);
        assert_eq!((huge[0].probability, huge[1].probability), (1.0, 0.0));
    }

    #[test]
    fn a_list_without_spans_says_empty() {
        let entries = list(vec![], None, 20);
        assert_eq!(texts(&entries), ["empty"]);
        assert_eq!((entries[0].probability, entries[0].score()), (1.0, 0.0));
        assert_eq!(
            texts(&list(vec![], Some(null(5.0, 5.0)), 20)),
            ["empty", ""]
        );
    }

    #[test]
    fn the_null_answer_is_always_listed() {
        let candidates = vec![span(2, 2.0, 2.0), span(3, 1.0, 1.0)];
        let cases: [(f32, usize, &[&str]); 4] = [
            (5.0, 20, &["", "two", "three"]),
            (1.5, 20, &["two", "", "three"]),
            // Cut off by the list's size: appended.
            (0.0, 2, &["two", "three", ""]),
            (0.0, 1, &["two", ""]),
        ];
        for (logit, n, expected) in cases {
            let entries = list(candidates.clone(), Some(null(logit, logit)), n);
            assert_eq!(texts(&entries), expected, "{logit} {n}");
        }
        // The best entry alone, and it is the null answer.
        let entries = list(candidates, Some(null(5.0, 5.0)), 1);
        assert_eq!(texts(&entries), ["empty", ""]);
    }
}
