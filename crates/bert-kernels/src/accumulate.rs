//! Sums of gradients, into memory that is there already.

use burn::tensor::{IndexingUpdateOp, Int, Tensor};

/// `sum + part`, in the memory of `sum`.
///
/// # Shapes
/// - `sum`, `part`: the same, without autodiff
pub fn add_into<const D: usize>(sum: Tensor<D>, part: Tensor<D>) -> Tensor<D> {
    #[cfg(feature = "flex")]
    if crate::flex::runs(&sum) {
        return crate::flex::accumulate::add_into(sum, part);
    }
    sum + part
}

/// Adds the gradients of looked-up rows to the gradient of the table that they were looked up in; rows of the id
/// `constant` take none.
///
/// # Shapes
/// - `table`: `[entries, width]`, without autodiff
/// - `ids`: `[batch, seq]`
/// - `rows`: `[batch, seq, width]`
/// - output: `[entries, width]`
pub fn add_rows_into(
    table: Tensor<2>,
    ids: Tensor<2, Int>,
    rows: Tensor<3>,
    constant: usize,
) -> Tensor<2> {
    #[cfg(feature = "flex")]
    if crate::flex::runs(&table) {
        return crate::flex::accumulate::add_rows_into(table, ids, rows, constant);
    }
    #[cfg(feature = "cube")]
    if crate::cube::runs(&table) {
        return crate::cube::accumulate::add_rows_into(table, ids, rows, constant);
    }
    composed(table, ids, rows, constant)
}

/// [`add_rows_into`] in tensor operations.
pub(crate) fn composed(
    table: Tensor<2>,
    ids: Tensor<2, Int>,
    rows: Tensor<3>,
    constant: usize,
) -> Tensor<2> {
    let [batch, seq, width] = rows.dims();
    let counts = ids
        .clone()
        .not_equal_scalar(constant as i64)
        .float()
        .reshape([batch * seq, 1]);
    let rows = rows.reshape([batch * seq, width]) * counts;
    table.select_assign(0, ids.reshape([batch * seq]), rows, IndexingUpdateOp::Add)
}
