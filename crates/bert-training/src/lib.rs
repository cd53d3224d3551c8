//! Fine-tuning and evaluation of a BERT.
//!
//! ```text
//! Task (examples → padded batches → loss) ─┐
//! batches::epoch  (what goes together)   ──┼→ train ─→ fine-tuned model
//! optimizer::BertAdam, schedule          ──┘
//! ```
//!
//! One loop serves every task family: a [`Task`] says how its examples become a loss, and nothing
//! else in this crate knows which family it is.

pub mod audit;
pub mod batches;
pub mod classification;
mod error;
pub mod optimizer;
pub mod schedule;
mod score;
pub mod squad;
mod task;
pub mod token_batch;
mod train;

pub use error::TrainError;
pub use schedule::Schedule;
pub use score::ScoreConfig;
pub use task::Task;
pub use train::{Observer, StepRecord, TrainConfig, TrainPlan, Trainer, UnreadStep, train};
