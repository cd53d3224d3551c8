//! The model against golden files, and checkpoints in and out.

#![allow(clippy::unwrap_used, reason = "a test ends by panicking")]

mod activations;
mod checkpoint_formats;
mod golden_heads;
mod golden_tiny_bert;
mod support;
