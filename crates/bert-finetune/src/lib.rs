//! What a run is: a task trained with settings, from wherever it begins to its results, and the folder that holds them.
//!
//! ```text
//! Settings ─→ prepare (inputs read, folders looked at) ─→ Command ─→ execute ─→ RunOutcome, one a seed
//!                                                              └─→ plan (what execute would do)
//! ```
//!
//! The [`Program`] around a run shows its progress, says when it is to stop, and is told when training begins.

mod command;
mod error;
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
mod summary;
mod tracker;

pub use command::{
    Plan, check_begins, check_memory, execute, hold, plan, run, timed, write_task_summary,
};
pub use error::FinetuneError;
pub use memory::Memory;
pub use outcome::{RunOutcome, ScoreTable};
pub use output::{
    OutputFolder, SCORES, check_inputs_are_no_outputs, check_is_folder, remove_files,
};
pub use prepare::{Prepared, prepare};
pub use program::Program;
pub use report::environment;
pub use seeds::summary_cell;
pub use session::starting_model;
pub use settings::{Recipe, RunSettings, Saving, Settings, residency};
