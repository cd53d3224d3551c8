//! Fine-tuned checkpoints asked about texts in memory.
//!
//! | model | asked for | by |
//! | --- | --- | --- |
//! | question answering | the part of a passage that answers a question | [`QuestionAnswerer`] |
//! | sequence classification | the class of a text or a pair, or a score | [`TextClassifier`] |
//! | multiple choice | the ending that follows a beginning | [`ChoiceMaker`] |
//!
//! Each is loaded once and asked many times. Texts take the same road as those of a data file: the same features, the
//! same batches by length, the same rules of prediction.

mod checkpoint;
mod choice;
mod classification;
mod config;
mod error;
mod question;

pub use checkpoint::check_tokenizer;
pub use choice::{Beginning, ChoiceMaker};
pub use classification::{Classified, Passage, TextClassifier};
pub use config::InferenceConfig;
pub use error::InferenceError;
pub use question::{Answer, Answered, Question, QuestionAnswerer, QuestionConfig};
