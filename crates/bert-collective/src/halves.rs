//! Sums whose numbers travel in 16 bits.
//!
//! Each process adds up one piece of the numbers, in 32 bits and by rank, and gives the rounded sum to all: every process
//! sends and receives half the bytes of a sum in 32 bits, and all have the same bits.

use half::bf16;
use half::slice::HalfFloatSliceExt;

use crate::{CollectiveError, Engine};

/// Replaces each number by its sum over all processes.
///
/// # Errors
/// When a process cannot be reached.
pub(crate) fn sum(engine: &mut dyn Engine, numbers: &mut [f32]) -> Result<(), CollectiveError> {
    let piece = numbers.len().div_ceil(engine.size());
    // The last pieces are filled up with zeros.
    let mut halves = vec![bf16::ZERO; piece * engine.size()];
    halves[..numbers.len()].convert_from_f32_slice(numbers);
    let own = engine.exchange(halves.reinterpret_cast())?;
    let mut sums = vec![0.0; piece];
    for from in own.chunks_exact(piece.max(1)) {
        for (sum, half) in sums.iter_mut().zip(from) {
            *sum += bf16::from_bits(*half).to_f32();
        }
    }
    let sums: Vec<u16> = sums
        .into_iter()
        .map(|sum| bf16::from_f32(sum).to_bits())
        .collect();
    let all = engine.join(&sums)?;
    for (number, half) in numbers.iter_mut().zip(all) {
        *number = bf16::from_bits(half).to_f32();
    }
    Ok(())
}
