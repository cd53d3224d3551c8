//! Batches in host memory: rows of token ids, padded to one width.
//!
//! No tensor library is involved: a batch holds plain vectors, and whoever runs a model sends them to its device. That
//! is why batches can be made on another thread, [`ahead`] of the one that computes.

mod ahead;
mod padding;
mod token_batch;

use crate::pair::SequenceFeatures;
use crate::squad::SquadFeatures;

pub use ahead::ahead;
pub use padding::{Padding, by_length};
pub use token_batch::TokenBatch;

impl SquadFeatures {
    /// The rows of some windows, padded to `width` tokens.
    ///
    /// # Panics
    ///
    /// When a window is wider than `width`.
    #[must_use]
    pub fn batch(&self, windows: &[usize], width: usize, pad_token_id: usize) -> TokenBatch {
        let mut batch = TokenBatch::with_width(width);
        let mut ids = Vec::with_capacity(width);
        for window in windows {
            ids.clear();
            self.write_input_ids(*window, &mut ids);
            batch.push(&ids, self.segment_b_start(*window), pad_token_id);
        }
        batch
    }
}

impl SequenceFeatures {
    /// The rows of some examples, example by example, padded to `width` tokens.
    ///
    /// # Panics
    ///
    /// When a row is wider than `width`.
    #[must_use]
    pub fn batch(&self, examples: &[usize], width: usize, pad_token_id: usize) -> TokenBatch {
        let mut batch = TokenBatch::with_width(width);
        for row in examples.iter().flat_map(|example| self.rows_of(*example)) {
            batch.push(row.input_ids, row.segment_b_start, pad_token_id);
        }
        batch
    }
}

#[cfg(test)]
mod tests {
    use crate::squad::SquadFeatureConfig;
    use crate::synthetic::{sequences, windows};

    #[test]
    fn windows_become_padded_rows() {
        let features = windows(&[5, 8], SquadFeatureConfig::default());
        let batch = features.batch(&[1, 0], 8, 9);
        let mut expected = Vec::new();
        features.write_input_ids(1, &mut expected);
        features.write_input_ids(0, &mut expected);
        let mut expected: Vec<i32> = expected.into_iter().map(|id| id as i32).collect();
        expected.extend([9; 3]);
        assert_eq!(batch.input_ids(), expected);
        assert_eq!(batch.lengths(), [8, 5]);
        assert_eq!(
            batch.token_type_ids(),
            [0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0]
        );
    }

    #[test]
    fn the_rows_of_an_example_stay_together() {
        let features = sequences(3, 2, 6);
        let batch = features.batch(&[2, 0], 6, 0);
        let rows: Vec<Vec<i32>> = [4, 5, 0, 1]
            .map(|row| {
                let ids = features.rows.row(row).input_ids;
                ids.iter().map(|id| *id as i32).collect()
            })
            .to_vec();
        assert_eq!(batch.input_ids(), rows.concat());
        assert_eq!((batch.rows(), batch.width()), (4, 6));
    }
}
