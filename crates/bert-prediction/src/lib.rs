//! Logits turned into answers and classes.
//!
//! A question answering model scores every token of every window as the start and as the end of the answer.
//! [`squad::predict`] merges the windows of a question by their raw logits, ranks the spans, recovers each span's text
//! as the context writes it and keeps the n best. A classifier scores every class and a multiple choice model every
//! ending: [`choice::choose`] takes the best one. Logits come in as slices, so this crate knows no tensor library.

pub mod choice;
mod error;
mod softmax;
pub mod squad;

pub use error::{PredictionError, SpanEdge};
pub use softmax::softmax;
