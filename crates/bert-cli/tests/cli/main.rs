//! The binary as its users meet it: exit codes, one-line errors, and what goes to stdout.

#![allow(clippy::unwrap_used, reason = "a test ends by panicking")]

mod about;
mod check;
mod corpus;
mod docs;
#[cfg(unix)]
mod export;
mod faults;
mod front_door;
mod glue;
mod glue_labels;
mod glue_runs;
mod glue_support;
mod hosts;
mod malformed;
mod memory;
mod multi_label;
mod own_data;
#[cfg(all(unix, feature = "mpi"))]
mod processes;
mod serving;
mod settings;
mod snapshots;
mod squad;
#[cfg(unix)]
mod stopping;
mod support;
mod swag;
mod sweep;
mod thresholds;
mod training_support;
mod tutorials;
