//! The n-best list against a search through every span.

use bert_prediction::squad::{SquadAnswerPrediction, SquadPredictionConfig};
use proptest::prelude::*;

use crate::fixture::{Fixture, texts};

/// Contexts of words that come apart into pieces and punctuation, some twice, with white space of any kind between.
fn context() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "a",
        "B",
        "c.",
        "dab",
        "(E)",
        "f-g",
        "Café,",
        "wallflowers",
        "☃",
        "a",
        "1,500",
    ]);
    let space = prop::sample::select(vec![" ", "  ", "\n", " \t"]);
    (prop::collection::vec(word, 1..12), space).prop_map(|(words, space)| words.join(space))
}

/// Every valid span's text and logits, best first: spans of equal score by window, then by the ranks of their ends.
fn search(fixture: &Fixture, max_answer_length: usize) -> Vec<(usize, usize, f32, f32)> {
    let rank = |logits: &[f32], position: usize| {
        let ahead = logits.iter().enumerate().filter(|&(other, logit)| {
            *logit > logits[position] || (*logit == logits[position] && other < position)
        });
        ahead.count()
    };
    let mut spans = Vec::new();
    for (window, (start, end)) in fixture.start.iter().zip(&fixture.end).enumerate() {
        let tokens = fixture.features.windows[window].span;
        let position =
            |token: usize| fixture.features.context_offset(window) + token - tokens.start;
        for first in tokens.start..tokens.end {
            for last in first..tokens.end.min(first + max_answer_length) {
                if fixture.features.is_max_context(window, first) {
                    let (s, e) = (position(first), position(last));
                    let order = (window, rank(start, s), rank(end, e));
                    spans.push((start[s] + end[e], order, first, last, start[s], end[e]));
                }
            }
        }
    }
    spans.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    spans
        .into_iter()
        .map(|(_, _, first, last, start, end)| (first, last, start, end))
        .collect()
}

fn predict(fixture: &Fixture, config: &SquadPredictionConfig) -> SquadAnswerPrediction {
    fixture.predict(config).unwrap().remove(0)
}

proptest! {
    #[test]
    fn n_best_is_the_best_of_all_spans(
        context in context(),
        seed in prop::collection::vec((-3_i8..3, -3_i8..3), 64),
        max_answer_length in 1_usize..6,
        doc_stride in 1_usize..6,
    ) {
        let mut fixture = Fixture::new(&[&context], 6, doc_stride);
        for (window, (start, end)) in fixture.start.iter_mut().zip(&mut fixture.end).enumerate() {
            for (position, (start, end)) in start.iter_mut().zip(end).enumerate() {
                let (s, e) = seed[(position + 7 * window) % seed.len()];
                (*start, *end) = (f32::from(s), f32::from(e));
            }
        }
        // As many places as there can be spans, so that nothing is cut off.
        let config = SquadPredictionConfig { n_best_size: 1_000, max_answer_length, ..Default::default() };
        let prediction = predict(&fixture, &config);
        let words: Vec<&str> = context.split_whitespace().collect();
        let spans = search(&fixture, max_answer_length);

        // Entries are the spans in order, less those whose text an earlier one has; logits tell which they are.
        let mut rest = spans.iter();
        for entry in &prediction.n_best {
            prop_assert!(words.join(" ").contains(&entry.text), "{:?}", entry.text);
            let span = entry.span.expect("a span has a place");
            let there: String = context.chars().take(span.end).skip(span.start).collect();
            prop_assert_eq!(there.split_whitespace().collect::<Vec<_>>().join(" "), entry.text.as_str());
            prop_assert!(
                rest.any(|&(_, _, start, end)| (start, end) == (entry.start_logit, entry.end_logit)),
                "{:?} is out of order", entry
            );
        }
        let best = &spans[0];
        prop_assert_eq!(
            (prediction.n_best[0].start_logit, prediction.n_best[0].end_logit),
            (best.2, best.3)
        );
        let mut distinct = texts(&prediction);
        distinct.sort_unstable();
        distinct.dedup();
        prop_assert_eq!(distinct.len(), prediction.n_best.len());
        let sum: f64 = prediction.n_best.iter().map(|entry| entry.probability).sum();
        prop_assert!((sum - 1.0).abs() < 1e-9);

        // A shorter list is the beginning of the longer one where the places of the positions do not bind.
        let longest = fixture.start.iter().map(Vec::len).max().unwrap_or(0);
        let short = predict(&fixture, &SquadPredictionConfig { n_best_size: longest, ..config });
        prop_assert_eq!(texts(&short), texts(&prediction).into_iter().take(longest).collect::<Vec<_>>());
    }

    #[test]
    fn distinct_words_give_exactly_the_searched_spans(
        count in 1_usize..8,
        seed in prop::collection::vec((-3_i8..3, -3_i8..3), 64),
        max_answer_length in 1_usize..6,
        doc_stride in 1_usize..6,
    ) {
        // One token a word and no word twice, so that every span has a text of its own and none is dropped.
        let words = &["a", "b", "c", "d", "e", "f", "g", "h"][..count];
        let mut fixture = Fixture::new(&[&words.join(" ")], 5, doc_stride);
        for (window, (start, end)) in fixture.start.iter_mut().zip(&mut fixture.end).enumerate() {
            for (position, (start, end)) in start.iter_mut().zip(end).enumerate() {
                let (s, e) = seed[(position + 7 * window) % seed.len()];
                (*start, *end) = (f32::from(s), f32::from(e));
            }
        }
        let config = SquadPredictionConfig { n_best_size: 1_000, max_answer_length, ..Default::default() };
        let expected: Vec<String> = search(&fixture, max_answer_length)
            .into_iter()
            .map(|(first, last, ..)| words[first..=last].join(" "))
            .collect();
        let prediction = predict(&fixture, &config);
        prop_assert_eq!(texts(&prediction), expected);
    }
}
