//! A device against the CPU: the same runs give the same numbers.
//!
//! `BERT_TEST_DEVICE` names the device: `cuda`, `wgpu:1`. Without it the CPU is compared with itself, which checks the
//! comparison. `cargo xtask gpu-check` sets it.

#![allow(clippy::unwrap_used, reason = "a test ends by panicking")]

mod layers;
mod memory;
mod out_of_memory;
mod prediction;
mod support;
mod training;
