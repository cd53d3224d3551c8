//! What a task is: which data it has, what its labels mean, how a model's outputs become predictions, and how these
//! are scored.
//!
//! A [`Family`] holds everything that a command reads besides weights. There are two: [`squad::Squad`] answers
//! questions, and [`classification::Classification`] scores whole examples, which are [choices](swag) or
//! [texts](glue). What is trained, when it is saved, and where results go is the business of `bert-finetune`.

pub mod check;
mod checkpoint;
pub mod classification;
mod error;
mod evaluation;
mod family;
pub mod glue;
mod repeats;
mod split;
pub mod squad;
pub mod swag;
mod watch;

pub use checkpoint::{Source, load_trained, log_unused_tensors, read_checkpoint, read_tokenizer};
pub use error::TaskError;
pub use evaluation::{Evaluation, Score, percent_cell};
pub use family::{Family, Purpose, Scoring};
pub use repeats::Seen;
pub use watch::{Counter, Unwatched, Watch};
