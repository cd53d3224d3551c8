//! Predictions over whole datasets, from text to text.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod errors;
mod fixture;
mod null_answers;
mod properties;
mod spans;
