//! Padded rows of token ids.

/// A padded batch in host memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenBatch {
    width: usize,
    input_ids: Vec<i32>,
    token_type_ids: Vec<i32>,
    lengths: Vec<usize>,
}

impl TokenBatch {
    /// An empty batch of rows `width` tokens wide.
    #[must_use]
    pub fn with_width(width: usize) -> Self {
        Self {
            width,
            input_ids: Vec::new(),
            token_type_ids: Vec::new(),
            lengths: Vec::new(),
        }
    }

    /// Adds a row; tokens from `segment_b_start` on belong to the second segment, padding to the first.
    ///
    /// # Panics
    ///
    /// When the row is wider than the batch.
    pub fn push(&mut self, ids: &[u32], segment_b_start: usize, pad_token_id: usize) {
        assert!(ids.len() <= self.width, "a row fits the batch's width");
        let padding = self.width - ids.len();
        self.input_ids.extend(ids.iter().map(|id| *id as i32));
        self.input_ids
            .extend(std::iter::repeat_n(pad_token_id as i32, padding));
        self.token_type_ids
            .extend((0..ids.len()).map(|n| i32::from(n >= segment_b_start)));
        self.token_type_ids.extend(std::iter::repeat_n(0, padding));
        self.lengths.push(ids.len());
    }

    /// Tokens of each row, padding included.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.lengths.len()
    }

    /// Token ids, row by row, `rows * width` of them.
    #[must_use]
    pub fn input_ids(&self) -> &[i32] {
        &self.input_ids
    }

    /// The segment of each token, parallel to the ids.
    #[must_use]
    pub fn token_type_ids(&self) -> &[i32] {
        &self.token_type_ids
    }

    /// Tokens of each row that are not padding.
    #[must_use]
    pub fn lengths(&self) -> &[usize] {
        &self.lengths
    }
}
