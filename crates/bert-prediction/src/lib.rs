//! Logits turned into answers.
//!
//! A model scores every token of every window as the start and as the end of the answer. [`squad::predict`] merges the
//! windows of a question by their raw logits, ranks the spans, recovers each span's text as the context writes it and
//! keeps the n best. Logits come in as slices, so this crate knows no tensor library.

mod error;
pub mod squad;

pub use error::{PredictionError, SpanEdge};
