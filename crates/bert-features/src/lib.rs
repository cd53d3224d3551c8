//! Examples turned into token ids.
//!
//! [`window`] is the doc-stride arithmetic, pure functions over token counts; [`squad`] tokenises each context and each
//! question once, in parallel, and describes every input sequence as a window over them.

mod error;
pub mod squad;
pub mod window;

pub use error::FeatureError;
