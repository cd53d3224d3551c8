//! Tiny models with random weights, asked about texts in memory.

#![allow(clippy::unwrap_used, reason = "a test ends by panicking")]

mod checkpoints;
mod choices;
mod classes;
mod questions;
mod support;
