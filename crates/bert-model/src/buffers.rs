//! How large the largest single tensors are: a device may limit a buffer, whatever its memory.

use crate::{BertConfig, ModelError};

/// Bytes of a 32-bit number, in which the largest tensors are.
const F32: u64 = 4;

/// A tensor, by name and size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LargestTensor {
    /// What it is, with its shape.
    pub what: String,
    /// Its bytes.
    pub bytes: u64,
}

impl LargestTensor {
    fn new<const D: usize>(name: &str, shape: [usize; D]) -> Self {
        let dims: Vec<String> = shape.iter().map(ToString::to_string).collect();
        Self {
            what: format!("{name} [{}]", dims.join(", ")),
            bytes: F32 * shape.iter().map(|dim| *dim as u64).product::<u64>(),
        }
    }

    /// Refuses the tensor where a buffer has at most `allowed` bytes; `None` allows every size.
    ///
    /// # Errors
    /// [`ModelError::BufferTooLarge`] with the advice.
    pub fn check(
        self,
        allowed: Option<u64>,
        advice: impl FnOnce() -> String,
    ) -> Result<(), ModelError> {
        match allowed {
            Some(allowed) if self.bytes > allowed => Err(ModelError::BufferTooLarge {
                what: self.what,
                bytes: self.bytes,
                allowed,
                advice: advice(),
            }),
            _ => Ok(()),
        }
    }
}

/// The largest tensor that a layer computes from rows of `width` tokens: its scores, or the inside of its
/// feed-forward network.
pub(crate) fn of_layer(heads: usize, inner: usize, rows: usize, width: usize) -> LargestTensor {
    let scores = LargestTensor::new("attention scores", [rows, heads, width, width]);
    let inner = LargestTensor::new("feed-forward activations", [rows, width, inner]);
    if scores.bytes >= inner.bytes {
        scores
    } else {
        inner
    }
}

impl BertConfig {
    /// The table of word embeddings, by far the largest parameter; its gradient and moments are as large.
    pub fn largest_parameter(&self) -> LargestTensor {
        LargestTensor::new("word embeddings", [self.vocab_size, self.hidden_size])
    }

    /// The largest tensor that is computed from rows of `width` tokens.
    pub fn largest_activation(&self, rows: usize, width: usize) -> LargestTensor {
        of_layer(
            self.num_attention_heads,
            self.intermediate_size,
            rows,
            width,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_the_largest_in_wide_batches_and_the_feed_forward_network_in_narrow_ones() {
        let wide = of_layer(12, 3072, 32, 384);
        assert_eq!(wide.what, "attention scores [32, 12, 384, 384]");
        assert_eq!(wide.bytes, 4 * 32 * 12 * 384 * 384);
        let narrow = of_layer(12, 3072, 32, 128);
        assert_eq!(narrow.what, "feed-forward activations [32, 128, 3072]");
        let refused = wide.check(Some(128 << 20), || "use less".to_owned());
        assert_eq!(
            refused.unwrap_err().to_string(),
            "found attention scores [32, 12, 384, 384] of 216.0 MiB, expected at most 128.0 MiB, which is the largest \
             buffer of the device; use less"
        );
        assert!(narrow.clone().check(Some(128 << 20), String::new).is_ok());
        assert!(narrow.check(None, String::new).is_ok());
    }
}
