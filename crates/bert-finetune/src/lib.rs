//! What a run is: a task trained with settings, from wherever it begins to its results, and the folder that holds them.
//!
//! [`train`] takes [`Settings`] and does all of it; [`plan`] says what it would do. Data that are in memory become a
//! family first, for [`train_family`]. The [`Program`] around a run shows its progress, says when it is to stop, and is
//! told when training begins.
//!
//! `examples/` fine-tunes on the SQuAD demo and asks the result, and trains a classifier of texts in memory.

mod agreement;
mod buffers;
mod command;
mod error;
mod execute;
mod memory;
mod outcome;
mod output;
mod prepare;
mod program;
mod report;
mod resume;
mod seeds;
mod session;
mod settings;
mod start;
mod summary;
mod sweep;
mod tasks;
mod tracker;

pub use agreement::check_agreement;
pub use bert_training::averaging::AverageWeights;
pub use bert_training::freeze::Freeze;
pub use bert_training::{GradClip, Optim, Recipe};
pub use command::{Plan, PlannedMemory, plan, train, train_family};
pub use error::FinetuneError;
pub use outcome::{RunOutcome, ScoreTable, standing};
pub use output::{OutputFolder, SCORES, check_inputs_are_no_outputs, check_is_folder};
pub use program::Program;
pub use report::environment;
pub use seeds::summary_cell;
pub use settings::{
    Compute, EvaluationSchedule, Execution, RunSettings, Saving, Settings, Strategy, TaskSettings,
    parse_bytes, residency,
};
pub use sweep::{Configuration, Sweep, plan_sweep, sweep};
pub use tasks::{TaskOutcome, train_tasks};
