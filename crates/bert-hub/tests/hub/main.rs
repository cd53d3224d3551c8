//! The crate as a command uses it, against servers on this machine that misbehave in every way that servers do.

mod datasets;
mod fake_hub;
mod faults;
mod killed;
mod models;
mod odd_answers;
mod python_cache;
mod server;
mod watching;
