//! Training on data small enough to know the outcome.

#![allow(clippy::unwrap_used, reason = "a test ends by panicking")]

mod classification;
mod collective;
mod optimizers;
mod overfit;
mod precision;
mod resume;
mod support;
