//! The places where dropout is applied, numbered from the input up, so that adding a head changes no
//! mask of the encoder.

/// After the embeddings' LayerNorm.
pub(crate) const EMBEDDINGS: u64 = 0;

/// On a layer's attention weights.
pub(crate) fn attention_probabilities(layer: usize) -> u64 {
    1 + 3 * layer as u64
}

/// On the output of a layer's attention.
pub(crate) fn attention_output(layer: usize) -> u64 {
    2 + 3 * layer as u64
}

/// On the output of a layer's feed-forward network.
pub(crate) fn output(layer: usize) -> u64 {
    3 + 3 * layer as u64
}

/// On the pooled vector, before a classifier: far above every layer's sites, however many layers there are.
pub(crate) const POOLED_OUTPUT: u64 = 1 << 32;
