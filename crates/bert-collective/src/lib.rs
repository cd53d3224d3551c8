//! The processes that work together on one run.
//!
//! Each process asks a [`Collective`] for sums, broadcasts and exchanges; every process asks for the same things in the
//! same order. Numbers and bytes of host memory go through it, and nothing here knows what they mean.
//!
//! ```text
//! Collective ─┬─ Alone   (the only process)
//!             └─ Queue   (a thread that does one thing after the other on an Engine)
//!                          ├─ mpi::start      (processes that mpirun started)
//!                          └─ threads::group  (threads of one process, for tests)
//! ```
//!
//! `bert-training` has one more, of processes that talk through their GPUs.

mod error;
mod halves;
mod launch;
#[cfg(feature = "mpi")]
pub mod mpi;
mod queue;
pub mod threads;

pub use error::CollectiveError;
pub use launch::{Launch, Meeting};
pub use queue::{Engine, Pending, Queue};

use serde::{Deserialize, Serialize};

/// One of the processes that work together, and its ways to the others. Every process calls the same methods in the
/// same order.
pub trait Collective: Send + Sync {
    /// This process's number, from 0.
    fn rank(&self) -> usize;

    /// How many processes there are.
    fn size(&self) -> usize;

    /// This process's number among those of its machine, from 0.
    fn local_rank(&self) -> usize {
        self.rank()
    }

    /// Whether this is the process that writes files, holds the folder's lock and logs.
    fn leads(&self) -> bool {
        self.rank() == 0
    }

    /// Begins to add up numbers over all processes, each of which gives as many, and returns at once.
    fn start_sum(&self, numbers: Vec<f32>, precision: ReducePrecision) -> Pending<Vec<f32>>;

    /// The bytes of the leading process, in every process; those of the others are dropped.
    ///
    /// # Errors
    /// When the leading process cannot be reached.
    fn broadcast(&self, bytes: Vec<u8>) -> Result<Vec<u8>, CollectiveError>;

    /// The bytes of every process by its rank, in every process.
    ///
    /// # Errors
    /// When a process cannot be reached.
    fn gather(&self, bytes: Vec<u8>) -> Result<Vec<Vec<u8>>, CollectiveError>;

    /// Does what was asked for, and takes leave of the other processes, which do the same.
    fn finish(&self) {}

    /// Whether any process says yes.
    ///
    /// # Errors
    /// When a process cannot be reached.
    fn any(&self, yes: bool) -> Result<bool, CollectiveError> {
        if self.size() == 1 {
            return Ok(yes);
        }
        let said = self.gather(vec![u8::from(yes)])?;
        Ok(said.iter().any(|bytes| bytes == &[1]))
    }
}

/// How the numbers of a sum travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
pub enum ReducePrecision {
    /// In 32 bits
    #[default]
    Fp32,
    /// In 16 bits, half the bytes: numbers are rounded to bf16, added in 32 bits, and the sum is rounded again
    Bf16,
}

/// The only process.
#[derive(Debug, Clone, Copy, Default)]
pub struct Alone;

impl Collective for Alone {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        1
    }

    fn start_sum(&self, numbers: Vec<f32>, _: ReducePrecision) -> Pending<Vec<f32>> {
        Pending::done(Ok(numbers))
    }

    fn broadcast(&self, bytes: Vec<u8>) -> Result<Vec<u8>, CollectiveError> {
        Ok(bytes)
    }

    fn gather(&self, bytes: Vec<u8>) -> Result<Vec<Vec<u8>>, CollectiveError> {
        Ok(vec![bytes])
    }
}
