//! Runs in this process: how they are stopped, resumed, refused, and what they leave.

#![allow(clippy::unwrap_used, reason = "a test ends by panicking")]

mod damage;
mod folders;
mod memory;
mod optimizers;
mod resuming;
mod support;
mod sweeps;
