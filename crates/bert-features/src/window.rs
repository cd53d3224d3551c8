//! Doc-stride arithmetic: which stretches of a context become windows, and in which of them a token counts.
//!
//! *`doc_stride` is the distance between the starts of consecutive windows, not their overlap* (`transformers`' fast
//! tokenizers use the word for the overlap).

/// A half-open range of a context's tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenSpan {
    /// First token.
    pub start: usize,
    /// One past the last token.
    pub end: usize,
}

impl TokenSpan {
    /// How many tokens.
    #[must_use]
    pub fn len(self) -> usize {
        self.end - self.start
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Whether all of `other` lies inside.
    #[must_use]
    pub fn contains(self, other: TokenSpan) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

/// The windows over one context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Windows {
    tokens: usize,
    capacity: usize,
    step: usize,
}

impl Windows {
    /// Windows of at most `capacity` tokens over a context of `tokens` tokens, starting `doc_stride` tokens apart.
    ///
    /// A `doc_stride` beyond `capacity` would leave tokens out of every window; windows then follow one another without
    /// overlap. An empty context has one empty window.
    ///
    /// # Panics
    ///
    /// Where `capacity` or `doc_stride` is 0.
    #[must_use]
    pub fn new(tokens: usize, capacity: usize, doc_stride: usize) -> Self {
        assert!(
            capacity > 0 && doc_stride > 0,
            "a window holds and advances by at least one token"
        );
        Self {
            tokens,
            capacity,
            step: doc_stride.min(capacity),
        }
    }

    /// How many windows there are: they go on until one reaches the context's end.
    #[must_use]
    pub fn count(self) -> usize {
        1 + self
            .tokens
            .saturating_sub(self.capacity)
            .div_ceil(self.step)
    }

    /// The tokens of the n-th window.
    #[must_use]
    pub fn span(self, index: usize) -> TokenSpan {
        let start = index * self.step;
        TokenSpan {
            start,
            end: self.tokens.min(start + self.capacity),
        }
    }

    /// Every window, in order.
    pub fn iter(self) -> impl Iterator<Item = TokenSpan> {
        (0..self.count()).map(move |index| self.span(index))
    }

    /// The window in which a token of the context counts: the one that gives it the largest
    /// `min(left context, right context) + 0.01 * window length`; of equals, the first.
    ///
    /// # Panics
    ///
    /// Where the context has no such token.
    #[must_use]
    pub fn max_context(self, token: usize) -> usize {
        assert!(
            token < self.tokens,
            "token {token} of a context of {} tokens",
            self.tokens
        );
        let first = (token + 1)
            .saturating_sub(self.capacity)
            .div_ceil(self.step);
        let last = (token / self.step).min(self.count() - 1);
        let mut best = (first, f64::NEG_INFINITY);
        for index in first..=last {
            let TokenSpan { start, end } = self.span(index);
            let (left, right) = (token - start, end - 1 - token);
            // In floating point, as the reference has it: rounding decides some ties.
            let score = left.min(right) as f64 + 0.01 * (end - start) as f64;
            if score > best.1 {
                best = (index, score);
            }
        }
        best.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spans(tokens: usize, capacity: usize, doc_stride: usize) -> Vec<(usize, usize)> {
        Windows::new(tokens, capacity, doc_stride)
            .iter()
            .map(|span| (span.start, span.end))
            .collect()
    }

    #[test]
    fn windows_go_on_until_one_reaches_the_end() {
        assert_eq!(spans(0, 5, 2), [(0, 0)]);
        assert_eq!(spans(1, 5, 2), [(0, 1)]);
        assert_eq!(spans(5, 5, 2), [(0, 5)]);
        assert_eq!(spans(6, 5, 2), [(0, 5), (2, 6)]);
        assert_eq!(spans(7, 5, 2), [(0, 5), (2, 7)]);
        assert_eq!(spans(8, 5, 2), [(0, 5), (2, 7), (4, 8)]);
        assert_eq!(spans(3, 1, 1), [(0, 1), (1, 2), (2, 3)]);
        // A stride of the whole window: no overlap.
        assert_eq!(spans(8, 4, 4), [(0, 4), (4, 8)]);
        // A larger one must not leave tokens out.
        assert_eq!(spans(9, 4, 100), [(0, 4), (4, 8), (8, 9)]);
    }

    #[test]
    fn a_token_counts_where_its_smaller_side_is_largest() {
        // Windows 0..5, 2..7, 4..8 over 8 tokens. Token 4 has 0 tokens to its right in the first window, 2 on either
        // side in the second and none to its left in the third.
        let windows = Windows::new(8, 5, 2);
        let best: Vec<usize> = (0..8).map(|token| windows.max_context(token)).collect();
        // Token 3: min(3, 1) in the first, min(1, 3) in the second, a tie that the first wins.
        // Token 6: min(4, 0) in the second, min(2, 1) in the third.
        assert_eq!(best, [0, 0, 0, 0, 1, 1, 2, 2]);
    }

    #[test]
    fn of_equal_sides_the_longer_window_wins() {
        // Windows 0..6, 3..9, 6..10: token 7 has one token to its right in the second and one to its left in the third.
        let windows = Windows::new(10, 6, 3);
        assert_eq!(spans(10, 6, 3), [(0, 6), (3, 9), (6, 10)]);
        assert_eq!(windows.max_context(7), 1);
        // Token 8: nothing to its right in the second, one token to its right in the third.
        assert_eq!(windows.max_context(8), 2);
    }

    proptest! {
        #[test]
        fn every_token_is_in_a_window_and_counts_in_one_that_holds_it(
            tokens in 0_usize..300, capacity in 1_usize..60, doc_stride in 1_usize..80,
        ) {
            let windows = Windows::new(tokens, capacity, doc_stride);
            let mut covered = 0;
            for (index, span) in windows.iter().enumerate() {
                prop_assert!(span.start <= covered, "a gap before window {}", index);
                prop_assert!(span.len() <= capacity);
                prop_assert!(span.end > covered || tokens == 0, "window {} adds nothing", index);
                covered = span.end;
            }
            prop_assert_eq!(covered, tokens);
            for token in 0..tokens {
                let span = windows.span(windows.max_context(token));
                prop_assert!(span.start <= token && token < span.end);
            }
        }

        #[test]
        fn max_context_agrees_with_a_search_over_all_windows(
            tokens in 1_usize..300, capacity in 1_usize..120, doc_stride in 1_usize..80,
        ) {
            let windows = Windows::new(tokens, capacity, doc_stride);
            for token in 0..tokens {
                let mut best: Option<(f64, usize)> = None;
                for (index, span) in windows.iter().enumerate() {
                    if token < span.start || token >= span.end {
                        continue;
                    }
                    let side = (token - span.start).min(span.end - 1 - token);
                    let score = side as f64 + 0.01 * span.len() as f64;
                    if best.is_none_or(|(highest, _)| score > highest) {
                        best = Some((score, index));
                    }
                }
                prop_assert_eq!(best.map(|(_, index)| index), Some(windows.max_context(token)));
            }
        }
    }
}
