//! Rows of token ids, padded in host memory and sent to the device in one piece.

use bert_model::BertInput;
use burn::tensor::{Device, Int, Tensor, TensorData};

/// A padded batch in host memory.
#[derive(Debug, Clone)]
pub struct TokenBatch {
    width: usize,
    input_ids: Vec<i32>,
    token_type_ids: Vec<i32>,
    lengths: Vec<usize>,
}

impl TokenBatch {
    /// An empty batch of rows `width` tokens wide.
    pub fn with_width(width: usize) -> Self {
        Self {
            width,
            input_ids: Vec::new(),
            token_type_ids: Vec::new(),
            lengths: Vec::new(),
        }
    }

    /// Adds a row; tokens from `segment_b` on belong to the second segment, padding to the first.
    ///
    /// # Panics
    /// When the row is wider than the batch.
    pub fn push(&mut self, ids: &[u32], segment_b: usize, pad_token_id: usize) {
        assert!(ids.len() <= self.width, "a row fits the batch's width");
        let padding = self.width - ids.len();
        self.input_ids.extend(ids.iter().map(|id| *id as i32));
        self.input_ids
            .extend(std::iter::repeat_n(pad_token_id as i32, padding));
        self.token_type_ids
            .extend((0..ids.len()).map(|n| i32::from(n >= segment_b)));
        self.token_type_ids.extend(std::iter::repeat_n(0, padding));
        self.lengths.push(ids.len());
    }

    /// Tokens of each row, padding included.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Tokens that are not padding.
    pub fn real_tokens(&self) -> usize {
        self.lengths.iter().sum()
    }

    /// Sends the batch to a device.
    ///
    /// # Shapes
    /// - each tensor: `[rows, width]`; the mask is left out where no row is padded
    pub fn to_device(&self, device: &Device) -> BertInput {
        let shape = [self.lengths.len(), self.width];
        let ints = |values: &[i32]| {
            Tensor::<2, Int>::from_data(TensorData::new(values.to_vec(), shape), device)
        };
        let padded = self.lengths.iter().any(|length| *length < self.width);
        BertInput {
            input_ids: ints(&self.input_ids),
            token_type_ids: ints(&self.token_type_ids),
            attention_mask: padded.then(|| {
                let mask: Vec<f32> = self
                    .lengths
                    .iter()
                    .flat_map(|length| {
                        (0..self.width).map(move |n| if n < *length { 1.0 } else { 0.0 })
                    })
                    .collect();
                Tensor::from_data(TensorData::new(mask, shape), device)
            }),
        }
    }
}
