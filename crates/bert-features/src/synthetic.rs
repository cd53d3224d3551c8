//! Features without a text: rows of given lengths, for benchmarks. Speed does not depend on the ids.

use crate::pair::{SequenceFeatures, TokenRows};
use crate::squad::{
    AnswerPositions, ContextTokens, SquadFeatureConfig, SquadFeatures, SquadSkips, SquadWindow,
    TokenSpan,
};

/// The shortest window: `[CLS] question [SEP] context [SEP]`.
pub const SHORTEST_WINDOW: usize = 5;

/// Ids of BERT's vocabulary, above the special and unused ones.
fn ids(seed: usize, count: usize) -> impl Iterator<Item = u32> {
    (0..count).map(move |n| 1000 + ((n * 37 + seed * 101) % 29_000) as u32)
}

/// Training windows of these lengths, in tokens with the special ones.
///
/// # Panics
/// When a length is below [`SHORTEST_WINDOW`].
#[must_use]
pub fn windows(lengths: &[usize], config: SquadFeatureConfig) -> SquadFeatures {
    let longest = lengths.iter().copied().max().unwrap_or(SHORTEST_WINDOW);
    let windows = lengths.iter().enumerate().map(|(n, length)| {
        let tokens = length.checked_sub(SHORTEST_WINDOW - 1);
        SquadWindow {
            question: n as u32,
            index: 0,
            span: TokenSpan {
                start: 0,
                end: tokens.expect("a window has room for a question and a context"),
            },
            answer: Some(AnswerPositions { start: 3, end: 3 }),
        }
    });
    SquadFeatures {
        config,
        contexts: vec![ContextTokens {
            words: Vec::new(),
            ids: ids(0, longest).collect(),
            token_to_word: Vec::new(),
        }],
        queries: (0..lengths.len()).map(|n| ids(n, 1).collect()).collect(),
        question_contexts: vec![0; lengths.len()],
        windows: windows.collect(),
        cls_id: 101,
        sep_id: 102,
        skipped: SquadSkips::default(),
    }
}

/// Examples of `rows` rows each, all of `length` tokens.
#[must_use]
pub fn sequences(examples: usize, rows: usize, length: usize) -> SequenceFeatures {
    let mut all = TokenRows::default();
    for row in 0..examples * rows {
        let ids: Vec<u32> = ids(row, length).collect();
        all.push(&ids, length / 2);
    }
    SequenceFeatures {
        rows: all,
        rows_per_example: rows,
        max_seq_length: length,
        truncated: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_have_the_lengths_asked_for() {
        let lengths = [5, 384, 17];
        let features = windows(&lengths, SquadFeatureConfig::default());
        for (n, length) in lengths.into_iter().enumerate() {
            let mut row = Vec::new();
            features.write_input_ids(n, &mut row);
            assert_eq!((features.len_of(n), row.len()), (length, length));
            let answer = features.windows[n].answer.unwrap();
            assert!((answer.end as usize) < length - 1);
        }
    }

    #[test]
    fn sequences_have_the_length_asked_for() {
        let features = sequences(3, 4, 80);
        assert_eq!(features.len(), 3);
        assert!((0..3).all(|n| features.longest_row(n) == 80 && features.rows_of(n).count() == 4));
    }
}
