//! Fine-tuning of a BERT.
//!
//! ```text
//! Task (examples → padded batches → loss) ─┐
//! batches::epoch  (what goes together)   ──┼→ Trainer (a step) ─→ run (steps, evaluations, run states)
//! optimizer::Adam, schedule              ──┤
//! collective      (other processes)      ──┘
//! ```
//!
//! One loop serves every task family: a [`Task`] says how its examples become a loss, and nothing else in this crate
//! knows which family it is.

mod audit;
pub mod averaging;
mod backward;
pub mod batches;
pub mod classification;
pub mod collate;
pub mod collective;
mod config;
#[cfg(feature = "cuda")]
pub mod device_collective;
mod error;
pub mod freeze;
pub mod memory;
pub mod optimizer;
mod probe;
mod recipe;
mod reduction;
pub mod run;
pub mod schedule;
pub mod share;
pub mod squad;
mod step_record;
mod task;
mod trainer;

pub use config::{TrainConfig, TrainPlan};
pub use error::TrainError;
pub use probe::fit_micro_batch;
pub use recipe::{GradClip, Optim, Recipe};
pub use reduction::ReduceBackend;
pub use run::{Observer, train};
pub use schedule::Schedule;
pub use step_record::{StepRecord, UnreadStep};
pub use task::Task;
pub use trainer::Trainer;
