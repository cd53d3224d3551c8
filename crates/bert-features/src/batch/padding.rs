//! How wide batches are, and which examples are scored together.

/// How wide a batch is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// To the longest row, rounded up to a multiple, so that kernel shapes stay few; examples of similar length are
    /// drawn together.
    Longest {
        /// The multiple, in tokens.
        multiple_of: usize,
    },
    /// To a fixed width in tokens, as the 2018 scripts do; examples are drawn at random.
    Fixed(usize),
}

impl Padding {
    /// The width of a batch whose longest row has `longest` tokens; `limit` is that of the features.
    #[must_use]
    pub fn width(self, longest: usize, limit: usize) -> usize {
        match self {
            Self::Longest { multiple_of } => longest
                .next_multiple_of(multiple_of)
                .min(limit)
                .max(longest),
            Self::Fixed(width) => width.max(longest),
        }
    }
}

/// Batches for scoring: the longest examples first, at most `batch_size` of them in a batch.
///
/// # Panics
///
/// When `batch_size` is 0.
#[must_use]
pub fn by_length(lengths: &[usize], batch_size: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|example| std::cmp::Reverse(lengths[*example]));
    order.chunks(batch_size).map(<[usize]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_width_is_rounded_up_but_stays_within_the_limit() {
        let padding = Padding::Longest { multiple_of: 16 };
        assert_eq!(padding.width(33, 384), 48);
        assert_eq!(padding.width(48, 384), 48);
        assert_eq!(padding.width(97, 100), 100);
        assert_eq!(Padding::Fixed(384).width(12, 384), 384);
    }

    #[test]
    fn the_longest_examples_come_first_and_equal_ones_in_their_order() {
        let batches = by_length(&[3, 9, 3, 12, 9], 2);
        assert_eq!(batches, [vec![3, 1], vec![4, 0], vec![2]]);
    }
}
