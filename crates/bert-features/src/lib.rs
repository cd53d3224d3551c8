//! Examples turned into token ids.
//!
//! [`window`] is the doc-stride arithmetic, pure functions over token counts; [`squad`] tokenises each context and each
//! question once, in parallel, and describes every input sequence as a window over them. [`pair`] cuts a text or two to
//! one sequence; [`glue`] makes one of each example, [`swag`] one of each of its endings. [`batch`] pads sequences to
//! batches in host memory.

pub mod batch;
mod error;
pub mod glue;
pub mod pair;
pub mod squad;
pub mod swag;
pub mod synthetic;
pub mod window;

pub use error::FeatureError;
