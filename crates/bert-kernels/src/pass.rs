//! How a forward pass is computed.

use std::fmt;

use burn::tensor::{DType, FloatDType, Tensor};

use serde::{Deserialize, Serialize};

use crate::dropout::Phase;

/// The arithmetic of matrix products. Weights, optimiser, softmax, layer normalisation and losses are in 32 bits
/// whatever it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Products of 32-bit numbers.
    #[default]
    Fp32,
    /// Products of 32-bit numbers whose mantissas tensor cores cut to 10 bits. Burn chooses such kernels by
    /// itself where a device has them, so this is [`Precision::Fp32`] as far as this crate can say.
    Tf32,
    /// Products of 16-bit brain floats, summed in 32 bits; on GPUs the activations between them are kept in 16 bits.
    Bf16,
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fp32 => "fp32",
            Self::Tf32 => "tf32",
            Self::Bf16 => "bf16",
        })
    }
}

impl Precision {
    /// A tensor as an operand of a product, in the operands' type: differentiable, and free where it has that type
    /// already. It stays as it is where a kernel for the CPU rounds it in its products.
    pub(crate) fn cast<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        #[cfg(feature = "flex")]
        if processor_has_bf16() && crate::flex::runs(&x) {
            return x;
        }
        x.cast(self.operand())
    }

    /// The type of a product's operands.
    pub(crate) fn operand(self) -> FloatDType {
        match self {
            Self::Fp32 | Self::Tf32 => FloatDType::F32,
            Self::Bf16 => FloatDType::BF16,
        }
    }
}

/// Whether this processor multiplies brain floats, by AVX512-BF16. Without it [`Precision::Bf16`] is many times slower on
/// the CPU than [`Precision::Fp32`].
pub fn processor_has_bf16() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512bf16");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

/// One forward pass: whether activations are dropped, and the arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pass {
    /// Training, with the key of its masks, or evaluation.
    pub phase: Phase,
    /// The arithmetic of products.
    pub precision: Precision,
}

impl Pass {
    /// An evaluation.
    pub fn evaluation(precision: Precision) -> Self {
        Self {
            phase: Phase::Evaluation,
            precision,
        }
    }
}

/// In 32 bits.
impl From<Phase> for Pass {
    fn from(phase: Phase) -> Self {
        Self {
            phase,
            precision: Precision::Fp32,
        }
    }
}

/// A tensor in 32 bits, in which everything but products is computed.
pub fn to_fp32<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    x.cast(FloatDType::F32)
}

/// Checks that a product's operands have one type: Burn promotes none, and a product of mixed types may be misread
/// without an error.
///
/// # Panics
/// When they differ.
pub(crate) fn assert_one_type(operation: &str, types: &[DType]) {
    assert!(
        types.windows(2).all(|pair| pair[0] == pair[1]),
        "{operation}: expected operands of one type, found {types:?}"
    );
}
