//! The end of BERT's embeddings: words, positions and segments summed, normalised, dropped.

use burn::tensor::module::{embedding, layer_norm};
use burn::tensor::{Int, Tensor};

use crate::dropout::{Dropout, dropout};
use crate::residual::LayerNormParameters;

/// The two small tables.
#[derive(Debug, Clone)]
pub struct EmbeddingTables {
    /// `[positions, hidden]`
    pub positions: Tensor<2>,
    /// `[types, hidden]`
    pub types: Tensor<2>,
}

/// `dropout(LayerNorm(words + positions + types))`.
///
/// # Shapes
/// - `words`: `[batch, seq, hidden]`, the words' vectors; the output has the same
/// - `token_type_ids`: `[batch, seq]`
pub fn embed(
    words: Tensor<3>,
    tables: EmbeddingTables,
    token_type_ids: &Tensor<2, Int>,
    norm: LayerNormParameters,
    dropout: Option<Dropout>,
) -> Tensor<3> {
    #[cfg(feature = "flex")]
    if crate::flex::runs(&words) {
        return crate::flex::embedding::embed(words, tables, token_type_ids, norm, dropout);
    }
    #[cfg(feature = "cube")]
    if crate::cube::runs(&words) && crate::cube::embedding::takes(&tables.types) {
        return crate::cube::embedding::embed(words, tables, token_type_ids, norm, dropout);
    }
    composed(words, tables, token_type_ids, norm, dropout)
}

/// [`embed`] in tensor operations.
pub(crate) fn composed(
    words: Tensor<3>,
    tables: EmbeddingTables,
    token_type_ids: &Tensor<2, Int>,
    norm: LayerNormParameters,
    with: Option<Dropout>,
) -> Tensor<3> {
    let [_, seq, hidden] = words.dims();
    // Positions are 0..seq in every row: a slice and a broadcast, not a gather.
    let positions = tables.positions.slice([0..seq, 0..hidden]);
    let positions = positions.unsqueeze::<3>(); // [seq, hidden] → [1, seq, hidden]
    let sum = words + positions + types(tables.types, token_type_ids);
    let normalised = layer_norm(sum, norm.weight, Some(norm.bias), norm.epsilon);
    dropout(normalised, with)
}

/// Segment vectors. With two types they are a blend of the table's rows, which spares the slow backward pass of a
/// gather.
fn types(table: Tensor<2>, ids: &Tensor<2, Int>) -> Tensor<3> {
    let [batch, seq] = ids.dims();
    let [entries, hidden] = table.dims();
    if entries != 2 {
        return embedding(table, ids.clone());
    }
    let second = ids.clone().float().reshape([batch, seq, 1]);
    let row = |n: usize| {
        let row = table.clone().slice([n..n + 1, 0..hidden]);
        row.reshape([1, 1, hidden])
    };
    let first = second.clone().neg() + 1.0;
    row(0) * first + row(1) * second
}
