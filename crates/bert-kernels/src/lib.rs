//! The fused operations of a BERT layer.
//!
//! Each operation is a function on tensors. On the CPU backend it is one pass over memory on all cores (module `flex`),
//! on GPUs a few launches (module `cube`), forward and backward, written for this crate; in the tests it is composed of
//! Burn's tensor operations as well. All of them give the same values, dropout masks included.
//!
//! Why: Burn 0.22's CPU backend runs elementwise operations on one core and `erf` and `exp` without
//! SIMD, which together cost more than a small BERT's matrix products.

mod accumulate;
mod adam;
#[cfg(test)]
mod against_composition;
mod attention;
mod cross_entropy;
#[cfg(feature = "cube")]
mod cube;
mod device_error;
pub mod device_fault;
#[cfg(feature = "cuda")]
pub mod device_group;
pub mod dropout;
mod embedding;
#[cfg(feature = "flex")]
mod flex;
mod gelu;
mod layer;
mod linear;
mod pass;
mod residual;
mod rows;
mod seed;
mod wide;

pub use accumulate::{add_into, add_rows_into};
pub use adam::{AdamStep, Clip, Parameter, Updated, adam};
pub use attention::{Attention, attention};
pub use cross_entropy::{cross_entropy, cross_entropy_of_columns};
pub use device_error::DeviceError;
pub use dropout::{Dropout, DropoutKey, MaskSource, Phase};
pub use embedding::{EmbeddingTables, embed};
pub use gelu::gelu;
pub use layer::{Activation, LayerParameters, encoder_layer};
pub use linear::{LinearParameters, linear};
pub use pass::{Pass, Precision, processor_has_bf16, to_fp32};
pub use residual::{LayerNormParameters, linear_residual_layer_norm};
pub use rows::{PaddedRows, padded_rows};
pub use seed::backward_from;
pub use wide::wide;
