//! Models run over examples, and fine-tuned checkpoints asked about texts in memory.
//!
//! [`score_windows`] and [`score_examples`] give a model's logits for the features of a data set. Training evaluates with
//! them, prediction predicts with them, and on them stands what asks a checkpoint about single texts:
//!
//! | model | asked for | by |
//! | --- | --- | --- |
//! | question answering | the part of a passage that answers a question | [`QuestionAnswerer`] |
//! | sequence classification | the class of a text or a pair, or a score | [`TextClassifier`] |
//! | multiple choice | the ending that follows a beginning | [`ChoiceMaker`] |
//!
//! Each is loaded once and asked many times. Texts are treated like those of a data file: the same features, the same
//! batches by length, the same rules of prediction.

mod among;
mod checkpoint;
mod choice;
mod classification;
mod config;
mod error;
mod question;
mod score;
mod together;

pub use among::{AnsweredAmong, among};
pub use bert_collective::{Alone, Collective};
pub use checkpoint::{check_table, check_tokenizer};
pub use choice::{Beginning, ChoiceMaker};
pub use classification::{Passage, TextClassifier};
pub use config::InferenceConfig;
pub use error::InferenceError;
pub use question::{Answer, Answered, Question, QuestionAnswerer, QuestionConfig};
pub use score::{score_examples, score_windows};
