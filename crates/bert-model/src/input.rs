//! One padded batch, on a device.

use bert_kernels::padded_rows;
use burn::tensor::{Device, Int, Tensor};

/// One padded batch.
#[derive(Debug, Clone)]
pub struct BertInput {
    /// WordPiece ids, `[batch, seq]`; rows are padded with `[PAD]`.
    pub input_ids: Tensor<2, Int>,
    /// Segment of each token, `[batch, seq]`.
    pub token_type_ids: Tensor<2, Int>,
    /// `[batch, seq]`, 1 = attend, 0 = padding; `None` when no row is padded.
    pub attention_mask: Option<Tensor<2>>,
}

/// One padded batch in host memory.
#[derive(Debug, Clone, Copy)]
pub struct PaddedRows<'a> {
    /// Tokens of each row, padding included.
    pub width: usize,
    /// Tokens of each row that are not padding.
    pub lengths: &'a [usize],
    /// Token ids, row by row.
    pub input_ids: &'a [i32],
    /// Segments, row by row.
    pub token_type_ids: &'a [i32],
}

impl BertInput {
    /// Sends a batch to a device.
    ///
    /// # Shapes
    /// - each tensor: `[rows, width]`; the mask is left out where no row is padded
    ///
    /// # Panics
    /// When there are not as many ids as rows of this width have.
    pub fn from_rows(rows: &PaddedRows<'_>, device: &Device) -> Self {
        let PaddedRows { width, lengths, .. } = *rows;
        let shape = [lengths.len(), width];
        let tokens = shape[0] * width;
        let both = [rows.input_ids, rows.token_type_ids];
        assert!(
            both.iter().all(|ids| ids.len() == tokens),
            "expected {tokens} ids and segments"
        );
        // One copy to the device, of a vector: of a matrix, a GPU's rows may lie apart.
        let mut packed = both.concat();
        packed.extend(lengths.iter().map(|length| *length as i32));
        let unpacked = padded_rows(Tensor::from_ints(packed.as_slice(), device), shape);
        let padded = lengths.iter().any(|length| *length < width);
        Self {
            input_ids: unpacked.ids,
            token_type_ids: unpacked.types,
            attention_mask: padded.then_some(unpacked.mask),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bert_test_device::test_device;

    #[test]
    fn only_a_padded_batch_has_a_mask() {
        let device = test_device();
        let input = |lengths: &[usize]| {
            let rows = PaddedRows {
                width: 3,
                lengths,
                input_ids: &[1, 2, 3, 4, 5, 0],
                token_type_ids: &[0, 0, 1, 0, 1, 0],
            };
            BertInput::from_rows(&rows, &device)
        };
        let padded = input(&[3, 2]);
        let ids: Vec<i32> = padded.input_ids.try_into_vec_as().unwrap();
        assert_eq!(ids, [1, 2, 3, 4, 5, 0]);
        let mask: Vec<f32> = padded.attention_mask.unwrap().try_into_vec_as().unwrap();
        assert_eq!(mask, [1.0, 1.0, 1.0, 1.0, 1.0, 0.0]);
        assert!(input(&[3, 3]).attention_mask.is_none());
    }
}
