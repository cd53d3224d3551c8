//! Fine-tuning and evaluation of a BERT.
//!
//! ```text
//! Task (examples → padded batches → loss) ─┐
//! batches::epoch  (what goes together)   ──┼→ Trainer (a step) ─→ run (steps, evaluations, checkpoints)
//! optimizer::BertAdam, schedule          ──┘
//! ```
//!
//! One loop serves every task family: a [`Task`] says how its examples become a loss, and nothing
//! else in this crate knows which family it is.

mod ahead;
pub mod audit;
mod backward;
pub mod batches;
pub mod classification;
pub mod collate;
mod config;
mod error;
pub mod memory;
pub mod optimizer;
mod probe;
pub mod run;
pub mod schedule;
mod score;
pub mod squad;
mod step_record;
mod task;
pub mod token_batch;
mod trainer;

pub use config::{TrainConfig, TrainPlan};
pub use error::TrainError;
pub use probe::fit_micro_batch;
pub use run::{Observer, train};
pub use schedule::Schedule;
pub use score::ScoreConfig;
pub use step_record::{StepRecord, UnreadStep};
pub use task::Task;
pub use trainer::Trainer;
