//! Writes the demo data that `cargo xtask train-squad` and its siblings use when they are given no files.
//!
//! ```text
//! content/*.toml ─┬→ names, squad::content ─→ squad::passage ─→ squad::json ───┬→ output
//!                 ├→ people, swag::content ─→ swag ───────────→ swag::csv_file ┤
//!                 ├→ people, glue::content ─→ glue::example ──→ glue::layout ──┤
//!                 └→ names, words ──────────→ vocabulary ─→ weights ───────────┘
//! ```
//!
//! Everything is drawn from a fixed seed with a generator whose stream never changes, so the files under
//! `data/demo` can be rebuilt byte for byte; `tests/committed_files.rs` checks that they were.
//! A name, year or number belongs either to the training passages or to the held-out ones ([`Split`]), so that
//! memory of the training passages answers no held-out question. SWAG and GLUE are the other way round: their held-out
//! texts are new combinations of words that the training texts have.

#![warn(missing_docs)]

mod error;
mod glue;
mod names;
mod output;
mod people;
mod random;
mod small_model;
mod split;
pub mod squad;
mod swag;
mod template;
mod vocabulary;
mod weights;

pub use error::DemoDataError;
use error::{nothing_to_choose, parse};
pub use output::{DemoFile, READER_WEIGHTS, demo_files, pretraining_files};
pub use split::Split;

/// The seed of the committed files.
pub const SEED: u64 = 20_240_607;
