//! Padded rows of tokens, which reach a device in one copy.

use burn::tensor::{Int, Tensor};

/// What [`padded_rows`] unpacks; each is `[rows, width]`.
#[derive(Debug)]
pub struct PaddedRows {
    /// Token ids.
    pub ids: Tensor<2, Int>,
    /// Segments.
    pub types: Tensor<2, Int>,
    /// 1 for the first tokens of a row, as many as its length says; 0 for the others.
    pub mask: Tensor<2>,
}

/// Unpacks the ids of all rows, then their segments, then the rows' lengths.
///
/// # Shapes
/// - `packed`: `[2 · rows · width + rows]`
pub fn padded_rows(packed: Tensor<1, Int>, shape: [usize; 2]) -> PaddedRows {
    #[cfg(feature = "cube")]
    if crate::cube::tokens::runs(&packed) {
        return crate::cube::tokens::padded_rows(packed, shape);
    }
    composed(packed, shape)
}

/// [`padded_rows`] in tensor operations.
pub(crate) fn composed(packed: Tensor<1, Int>, [rows, width]: [usize; 2]) -> PaddedRows {
    let count = rows * width;
    let part = |from: usize, count: usize| packed.clone().narrow(0, from, count);
    let lengths = part(2 * count, rows)
        .reshape([rows, 1])
        .repeat_dim(1, width);
    let places = Tensor::<1, Int>::arange(0..width as i64, &packed.device());
    let places = places.reshape([1, width]).repeat_dim(0, rows);
    PaddedRows {
        ids: part(0, count).reshape([rows, width]),
        types: part(count, count).reshape([rows, width]),
        mask: places.lower(lengths).float(),
    }
}
