//! Where and how a run computes.

use bert_backend::DeviceChoice;
use bert_model::Precision;
use bert_records::compared;
use bert_training::ReduceBackend;
use bert_training::collective::ReducePrecision;
use serde::{Deserialize, Serialize};

use super::out_of_range;
use crate::FinetuneError;

compared! {
    /// Where a run computes, and in which arithmetic.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct Compute {
        /// The name of the device's backend.
        pub backend: String => Role::Derived,
        /// The device.
        pub device: DeviceChoice => Role::Once,
        /// The arithmetic of matrix products.
        pub precision: Precision => Role::Setting,
    }
}

compared! {
    /// How a training uses its device.
    #[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
    #[cfg_attr(feature = "clap", derive(clap::Args), command(next_help_heading = "Device"))]
    pub struct Execution {
        /// Keep the optimiser's moments and master weights in host memory and update them there, which
        /// frees 8 bytes a parameter on the device
        #[cfg_attr(feature = "clap", arg(long))]
        pub optimize_on_cpu: bool => Role::Setting,
        /// Keep only the input of each layer for the backward pass and compute the layer again there: less memory,
        /// about a quarter more time, the same results
        #[cfg_attr(feature = "clap", arg(long))]
        pub gradient_checkpointing: bool => Role::Free,
        /// Split steps into more micro-batches than --gradient-accumulation-steps where the device's memory does not
        /// hold them
        #[cfg_attr(feature = "clap", arg(long))]
        pub auto_micro_batch: bool => Role::Free,
        /// Memory of the device that the estimate of a training is compared with, such as 6GiB or 500MB
        /// [default: what is free]
        #[cfg_attr(feature = "clap", arg(long, value_name = "SIZE", value_parser = parse_bytes))]
        pub max_memory: Option<u64> => Role::Free,
        /// Pad every batch to --max-seq-length, as the 2018 scripts do
        #[cfg_attr(feature = "clap", arg(long))]
        pub pad_to_max_length: bool => Role::Setting,
        /// Pad every batch to its longest row, rounded up to a multiple of TOKENS
        #[cfg_attr(feature = "clap", arg(long, value_name = "TOKENS", default_value_t = Self::default().pad_to_multiple_of))]
        pub pad_to_multiple_of: usize => Role::Setting,
        /// How gradients travel between the processes that `mpirun` starts
        #[cfg_attr(feature = "clap", arg(long, value_enum, default_value_t))]
        #[serde(default, skip_serializing_if = "is_default")]
        pub reduce_precision: ReducePrecision => Role::Setting,
        /// What adds up the gradients of several processes [default: nccl where each has a GPU of NVIDIA's, else mpi]
        #[cfg_attr(feature = "clap", arg(long, value_enum))]
        #[serde(default, skip_serializing_if = "is_default")]
        pub reduce_backend: Option<ReduceBackend> => Role::Free,
    }
}

/// Whether a setting is one that records of earlier versions do not have.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Compute {
    /// A device and its default arithmetic, or the one given.
    ///
    /// # Errors
    /// When the device does not have the arithmetic.
    pub fn new(device: DeviceChoice, precision: Option<Precision>) -> Result<Self, FinetuneError> {
        Ok(Self {
            backend: device.kind().name.to_owned(),
            device,
            precision: device.kind().precision(precision)?,
        })
    }
}

impl Default for Execution {
    fn default() -> Self {
        Self {
            optimize_on_cpu: false,
            gradient_checkpointing: false,
            auto_micro_batch: false,
            max_memory: None,
            pad_to_max_length: false,
            pad_to_multiple_of: 16,
            reduce_precision: ReducePrecision::default(),
            reduce_backend: None,
        }
    }
}

impl Execution {
    pub(super) fn validate(&self) -> Result<(), FinetuneError> {
        if self.pad_to_multiple_of == 0 {
            return Err(out_of_range("pad_to_multiple_of", 0, "at least 1"));
        }
        Ok(())
    }
}

/// Reads a number of bytes with a unit, or the plain number.
///
/// # Errors
/// When the text is none.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 9] = [
        ("kib", 1 << 10),
        ("mib", 1 << 20),
        ("gib", 1 << 30),
        ("tib", 1 << 40),
        ("kb", 1_000),
        ("mb", 1_000_000),
        ("gb", 1_000_000_000),
        ("tb", 1_000_000_000_000),
        ("b", 1),
    ];
    let lower = text.trim().to_lowercase();
    let unit = UNITS.iter().find(|(unit, _)| lower.ends_with(unit));
    let (unit, bytes) = unit.unwrap_or(&("", 1));
    let number = lower[..lower.len() - unit.len()].trim().parse::<f64>();
    match number.map(|number| number * *bytes as f64) {
        Ok(size) if size >= 1.0 && size.is_finite() => Ok(size as u64),
        _ => Err(format!(
            "found {text:?}, expected a size in B, kB, MB, GB, TB, KiB, MiB, GiB or TiB, such as 6GiB"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [
            ("6GiB", 6 << 30),
            ("1.5 GiB", 3 << 29),
            ("500MB", 500_000_000),
            ("12", 12),
            ("12B", 12),
            ("6 gib", 6 << 30),
            ("1TB", 1_000_000_000_000),
        ] {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
        for text in ["", "GiB", "-1GiB", "0.5B", "nan", "infGB", "0", "6 qb"] {
            assert!(parse_bytes(text).is_err(), "{text}");
        }
    }
}
