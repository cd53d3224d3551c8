//! Writes the demo data that `cargo xtask train-squad` uses when it is given no files.
//!
//! ```text
//! content/*.toml ─→ lexicon, squad::domain ─→ squad::passage ─→ squad::json ─┐
//!                                                      └─→ vocabulary ───────┴→ output
//! ```
//!
//! Everything is drawn from a fixed seed with a generator whose stream never changes, so the files under
//! `data/demo` can be rebuilt byte for byte; `tests/committed_files.rs` checks that they were.
//! A name, year or number belongs either to the training passages or to the held-out ones ([`Split`]), so that
//! memory of the training passages answers no held-out question.

#![warn(missing_docs)]

mod error;
mod kind;
mod lexicon;
mod output;
mod random;
mod small_model;
mod split;
pub mod squad;
mod vocabulary;

pub use error::DemoDataError;
pub use kind::Class;
pub use output::{DemoFile, demo_files};
pub use split::Split;
pub use vocabulary::train_vocabulary;

/// The seed of the committed files.
pub const SEED: u64 = 20_240_607;
